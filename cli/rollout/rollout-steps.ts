import type { JsonObject } from "@bufbuild/protobuf";
import type { ClientUnaryCall } from "@grpc/grpc-js";
import type { Command } from "commander";
import type { Write } from "../../proto/gen/switchyard/config/v1/config_service.ts";
import { Rollout } from "../../proto/gen/switchyard/rollout/v1/rollout_service.ts";
import type { AdminClient, CallTail } from "../client/admin-client.ts";
import { withClient } from "../client/with-client.ts";
import type { CliContext } from "../context.ts";
import { print } from "../context.ts";
import { messageJson } from "../output/message-json.ts";
import { documentText, outputOption } from "../output/output-form.ts";
import type { OutputForm } from "../output/output-form.ts";
import { safeText } from "../output/safe-text.ts";
import { examples } from "../run-cli.ts";
import { addWriteOptions, writeOf } from "../write-options.ts";
import { rolloutName } from "./rollout-argument.ts";

/** What every step of a rollout answers with. */
export interface StepAnswer {
  readonly rollout: Rollout | undefined;
  readonly revision: bigint;
}

interface StepOptions {
  readonly output: OutputForm;
  readonly all?: boolean;
}

interface Step {
  readonly verb: string;
  readonly description: string;
  readonly examples: readonly (readonly [string, string])[];
  /** `paused rollouts/r12`. */
  readonly done: string;
  /** `rollouts/r12 can be paused`. */
  readonly canBe: string;
  readonly call: (
    client: AdminClient,
    request: { readonly name: string; readonly write: Write },
    options: StepOptions,
    tail: CallTail<StepAnswer>,
  ) => ClientUnaryCall;
}

const steps: readonly Step[] = [
  {
    verb: "pause",
    description: "Release no further wave. Nodes that have the revision keep it.",
    examples: [["switchyard rollout pause --reason 'something looks odd'", "until resume, promote, abort or rollback"]],
    done: "paused",
    canBe: "paused",
    call: (client, request, _, tail) => client.rollout.pauseRollout(request, ...tail),
  },
  {
    verb: "resume",
    description: "Let a paused rollout go on; the wave that was released last is watched anew.",
    examples: [["switchyard rollout resume", "go on"]],
    done: "resumed",
    canBe: "resumed",
    call: (client, request, _, tail) => client.rollout.resumeRollout(request, ...tail),
  },
  {
    verb: "promote",
    description: "Release the next wave now, whatever the gates say. The record says that it was promoted.",
    examples: [
      ["switchyard rollout promote --reason 'the canaries are fine'", "the next wave, without its bake time"],
      ["switchyard rollout promote --all", "every node, now"],
    ],
    done: "promoted",
    canBe: "promoted",
    call: (client, request, { all = false }, tail) => client.rollout.promoteRollout({ ...request, full: all }, ...tail),
  },
  {
    verb: "abort",
    description: "End it where it stands: released nodes keep the new revision, the others the old one.",
    examples: [["switchyard rollout abort", "and leave the nodes as they are, until the next rollout"]],
    done: "aborted",
    canBe: "aborted",
    call: (client, request, _, tail) => client.rollout.abortRollout(request, ...tail),
  },
  {
    verb: "rollback",
    description: "Take every node back to what it had before the newest rollout, under way or ended.",
    examples: [["switchyard rollout rollback --reason 'logins fail'", "everything back"]],
    done: "rolled back",
    canBe: "rolled back",
    call: (client, request, _, tail) => client.rollout.rollBackRollout(request, ...tail),
  },
];

export function registerSteps(rollout: Command, context: CliContext): void {
  for (const step of steps) registerStep(rollout, context, step);
}

function registerStep(rollout: Command, context: CliContext, step: Step): void {
  const command = rollout
    .command(step.verb)
    .description(step.description)
    .argument(
      "[rollout]",
      `rollouts/r12, or r12 (default: ${step.verb === "rollback" ? "the newest" : "the one under way"})`,
    )
    .addOption(outputOption());
  if (step.verb === "promote") command.option("--all", "all waves that are left, and so the end of it");
  addWriteOptions(command)
    .addHelpText("after", examples(...step.examples))
    .action(async (word: string | undefined, options: StepOptions) => {
      const name = rolloutName(word);
      const write = writeOf(command, context);
      const answer = await withClient(
        command,
        context,
        (client) => client.unary<StepAnswer>((...tail) => step.call(client, { name, write }, options, tail)),
        write.validateOnly ? {} : { requestId: write.requestId },
      );
      const shown = answer.rollout?.name ?? name;
      const said = write.validateOnly ? `${shown} can be ${step.canBe}` : `${step.done} ${shown}`;
      await printStep(context, answer, { said, write, form: options.output });
    });
}

/** What was done, or would be, the revision that came of it, and what comes next. */
export async function printStep(
  context: CliContext,
  { rollout, revision }: StepAnswer,
  { said, write, form }: { readonly said: string; readonly write: Write; readonly form: OutputForm },
): Promise<void> {
  if (form !== "text") return print(context, documentText(stepJson(rollout, revision), form));
  const [mark, where] = write.validateOnly ? ["dry run: ", "still"] : ["", "now"];
  await print(context, `${mark}${safeText(said)}; ${where} at revision ${revision}\n`);
  const outlook = rollout?.outlook ?? "";
  if (outlook !== "" && !write.validateOnly) await print(context, `${safeText(outlook)}\n`);
}

export function rolloutJson(rollout: Rollout): JsonObject {
  return messageJson("switchyard.rollout.v1.Rollout", Rollout, rollout);
}

/** As the API's answers have it, which are all alike. */
function stepJson(rollout: Rollout | undefined, revision: bigint): JsonObject {
  return { ...(rollout && { rollout: rolloutJson(rollout) }), revision: String(revision) };
}
