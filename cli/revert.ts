import type { Command } from "commander";
import type { RevertResponse } from "../proto/gen/switchyard/config/v1/config_service.ts";
import { parseRevision, resolveRevision } from "./client/revision-argument.ts";
import { withClient } from "./client/with-client.ts";
import type { CliContext } from "./context.ts";
import { printPlan } from "./print-plan.ts";
import { examples } from "./run-cli.ts";
import { addWriteOptions, writeOf } from "./write-options.ts";

export function registerRevert(program: Command, context: CliContext): void {
  const command = program
    .command("revert")
    .description("Make the configuration what it was at a revision, as a new commit; history is kept.")
    .argument("<revision>", "the revision whose configuration is wanted; 0 is the empty one")
    .option("-q, --quiet", "print the last line only");
  addWriteOptions(command)
    .addHelpText(
      "after",
      examples(
        ["switchyard revert 41 --dry-run", "what going back would change"],
        ["switchyard revert 41 --reason 'shop is down'", "go back"],
      ),
    )
    .action(async (word: string, options: { readonly quiet?: boolean }) => {
      const wanted = parseRevision(word);
      const write = writeOf(command, context);
      const answer = await withClient(
        command,
        context,
        async (client) => {
          const revision = await resolveRevision(client, wanted);
          return client.unary<RevertResponse>((...tail) => client.config.revert({ revision, write }, ...tail));
        },
        write.validateOnly ? {} : { requestId: write.requestId },
      );
      await printPlan(context, answer, { write, quiet: options.quiet ?? false });
    });
}
