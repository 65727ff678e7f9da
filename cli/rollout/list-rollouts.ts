import { type Command, InvalidArgumentError, Option } from "commander";
import type { Rollout } from "../../proto/gen/switchyard/rollout/v1/rollout_service.ts";
import { newestRollouts } from "../client/rollout-calls.ts";
import { withClient } from "../client/with-client.ts";
import type { CliContext } from "../context.ts";
import { note, print } from "../context.ts";
import { timeText } from "../output/message-json.ts";
import { documentText, outputOption } from "../output/output-form.ts";
import type { OutputForm } from "../output/output-form.ts";
import { rolloutStateText } from "../output/rollout-words.ts";
import { renderTable } from "../output/table.ts";
import { examples } from "../run-cli.ts";
import { rolloutJson } from "./rollout-steps.ts";

const listedByDefault = 20;

interface ListOptions {
  readonly limit: number;
  readonly output: OutputForm;
}

export function registerList(rollout: Command, context: CliContext): void {
  const command = rollout
    .command("list")
    .description("Show the rollouts, the newest first: what was released, by whom, when and why.")
    .addOption(new Option("-n, --limit <count>", "how many").argParser(parseLimit).default(listedByDefault))
    .addOption(outputOption())
    .addHelpText("after", examples(["switchyard rollout list -n 5", "the last five releases"]))
    .action(async ({ limit, output }: ListOptions) => {
      const rollouts = await withClient(command, context, (client) => newestRollouts(client, limit));
      if (output !== "text") return print(context, documentText({ rollouts: rollouts.map(rolloutJson) }, output));
      if (rollouts.length === 0) return note(context, "no rollouts");
      await print(context, rolloutTable(rollouts));
    });
}

/** The control plane remembers no more than it has in memory anyway. */
function parseLimit(text: string): number {
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000) throw new InvalidArgumentError("1 to 1000");
  return limit;
}

function rolloutTable(rollouts: readonly Rollout[]): string {
  return renderTable(
    ["NAME", "STATE", "REVISION", "WAVES", "POLICY", "STARTED", "AUTHOR", "REASON"],
    rollouts.map(({ name, state, targetRevision, waves, policy, emergency, decisions }) => {
      const [start] = decisions;
      const released = decisions.at(-1)?.releasedWaves ?? 0;
      return [
        name,
        rolloutStateText(state),
        String(targetRevision),
        `${released}/${waves.length}`,
        emergency ? "EMERGENCY" : policy.replace(/^rolloutPolicies\//, ""),
        timeText(start?.time),
        start?.author ?? "",
        start?.reason ?? "",
      ];
    }),
  );
}
