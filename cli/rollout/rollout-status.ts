import type { Command } from "commander";
import { getRollout } from "../client/rollout-calls.ts";
import { withClient } from "../client/with-client.ts";
import type { CliContext } from "../context.ts";
import { print } from "../context.ts";
import { documentText, outputOption } from "../output/output-form.ts";
import type { OutputForm } from "../output/output-form.ts";
import { decisionsText, rolloutText } from "../output/rollout-status-text.ts";
import { examples } from "../run-cli.ts";
import { rolloutName } from "./rollout-argument.ts";
import { rolloutJson } from "./rollout-steps.ts";
import { addWatchOptions, checkWatchOptions, watchExitCodes } from "./watch-options.ts";
import { watchRollout } from "./watch-rollout.ts";

interface StatusOptions {
  readonly watch?: boolean;
  readonly exitOnPause?: boolean;
  readonly decisions?: boolean;
  readonly output: OutputForm;
}

export function registerStatus(rollout: Command, context: CliContext): void {
  const command = rollout
    .command("status")
    .description("Show a rollout: its waves and their nodes, the gates, and what comes next.")
    .argument("[rollout]", "rollouts/r12, or r12 (default: the one under way, or else the newest)")
    .option("--decisions", "every decision, with the figures of each gate when it was made");
  addWatchOptions(command)
    .addOption(outputOption())
    .addHelpText(
      "after",
      examples(
        ["switchyard rollout status", "how it stands"],
        ["switchyard rollout status --watch", "see it through"],
        ["switchyard rollout status r12 --decisions", "who decided what, when, why, and by which figures"],
      ) + watchExitCodes,
    )
    .action(async (word: string | undefined, options: StatusOptions) => {
      checkWatchOptions(options);
      const name = rolloutName(word);
      const shown =
        options.watch === true
          ? await watchRollout(command, context, { name, ...options })
          : await withClient(command, context, (client) => getRollout(client, name));
      if (options.output !== "text") {
        // Watched, it has been printed; and as a document it has its decisions.
        if (options.watch !== true) await print(context, documentText(rolloutJson(shown), options.output));
        return;
      }
      const shape = { width: Number.POSITIVE_INFINITY, ageMs: 0, regions: true };
      if (options.watch !== true) await print(context, rolloutText(context, shown, shape));
      if (options.decisions === true) await print(context, `\n${decisionsText(shown)}`);
    });
}
