import type { Command } from "commander";
import type { StartRolloutResponse } from "../../proto/gen/switchyard/rollout/v1/rollout_service.ts";
import { CliFailure } from "../cli-failure.ts";
import { withClient } from "../client/with-client.ts";
import type { CliContext } from "../context.ts";
import { exitCode } from "../exit-code.ts";
import { outputOption } from "../output/output-form.ts";
import type { OutputForm } from "../output/output-form.ts";
import { examples } from "../run-cli.ts";
import { addWriteOptions, writeOf } from "../write-options.ts";
import { policyName, targetRevision } from "./rollout-argument.ts";
import { printStep } from "./rollout-steps.ts";
import { addWatchOptions, checkWatchOptions, watchExitCodes } from "./watch-options.ts";
import { watchRollout } from "./watch-rollout.ts";

interface StartOptions {
  readonly policy?: string;
  readonly revision?: string;
  readonly watch?: boolean;
  readonly exitOnPause?: boolean;
  readonly dryRun?: boolean;
  readonly output: OutputForm;
}

export function registerStart(rollout: Command, context: CliContext): void {
  const command = rollout
    .command("start")
    .description("Release a revision to the fleet, wave by wave: the first wave now.")
    .option("--policy <name>", "the policy to go by: rolloutPolicies/careful, or careful (default: the default one)")
    .option("--revision <revision>", "what to release (default: the newest that changed the configuration)")
    .addOption(outputOption());
  addWatchOptions(command);
  addWriteOptions(command)
    .addHelpText(
      "after",
      examples(
        ["switchyard rollout start --reason 'new shop'", "release what waits, by rolloutPolicies/default"],
        ["switchyard rollout start --watch", "and show it until it has ended, with an exit code for pipelines"],
        ["switchyard rollout start --revision 41 --policy careful", "an older revision, by another policy"],
      ) + watchExitCodes,
    )
    .action(async (options: StartOptions) => start(command, context, options));
}

async function start(command: Command, context: CliContext, options: StartOptions): Promise<void> {
  checkWatchOptions(options);
  if (options.watch === true && options.dryRun === true)
    throw new CliFailure(exitCode.usage, "--watch and --dry-run do not go together: nothing would be started");
  const write = writeOf(command, context);
  const request = { targetRevision: targetRevision(options.revision), policy: policyName(options.policy), write };
  const answer = await withClient(
    command,
    context,
    (client) => client.unary<StartRolloutResponse>((...tail) => client.rollout.startRollout(request, ...tail)),
    write.validateOnly ? {} : { requestId: write.requestId },
  );
  const { rollout } = answer;
  if (options.watch === true) {
    if (rollout === undefined) throw new CliFailure(exitCode.failed, "the answer has no rollout");
    await watchRollout(command, context, { name: rollout.name, ...options });
    return;
  }
  const count = rollout?.waves.length ?? 0;
  const what = `revision ${rollout?.targetRevision ?? request.targetRevision} in ${count === 1 ? "1 wave" : `${count} waves`}`;
  const said = write.validateOnly ? `${what} can be started` : `started ${rollout?.name ?? ""}: ${what}`;
  await printStep(context, answer, { said, write, form: options.output });
}
