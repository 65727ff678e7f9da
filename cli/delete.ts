import type { Command } from "commander";
import { CliFailure } from "./cli-failure.ts";
import { deleteResource } from "./client/resource-calls.ts";
import { withClient } from "./client/with-client.ts";
import type { CliContext } from "./context.ts";
import { print } from "./context.ts";
import { exitCode } from "./exit-code.ts";
import { safeText } from "./output/safe-text.ts";
import { examples } from "./run-cli.ts";
import { kindText, parseTarget } from "./target-argument.ts";
import { addWriteOptions, writeOf } from "./write-options.ts";

export function registerDelete(program: Command, context: CliContext): void {
  const command = program
    .command("delete")
    .description("Delete resources: one commit each, in the order given, up to the first that is refused.")
    .argument("<name...>", "full names, or a kind and then names: farms/web, or farm web")
    .option("--force", "also delete what is inside: the servers of a farm, the routes of a listener");
  addWriteOptions(command)
    .addHelpText(
      "after",
      examples(
        ["switchyard delete listeners/edge/routes/shop", "one route"],
        ["switchyard delete farm web --force", "a farm with its servers"],
      ),
    )
    .action(async (words: readonly string[], options: { readonly force?: boolean; readonly requestId?: string }) => {
      const { kind, names } = parseTarget(words, undefined);
      if (kind === "all" || kind === "node")
        throw new CliFailure(
          exitCode.usage,
          "only listeners, routes, farms, servers and rollout policies can be deleted",
        );
      if (names.length === 0)
        throw new CliFailure(exitCode.usage, `no name: which ${kindText[kind].one} is to be deleted?`);
      if (options.requestId !== undefined && names.length > 1)
        throw new CliFailure(exitCode.usage, "--request-id is for one commit, and each name makes its own");
      for (const name of names) {
        const write = writeOf(command, context);
        const revision = await withClient(
          command,
          context,
          (client) => deleteResource(client, kind, name, options.force ?? false, write),
          write.validateOnly ? {} : { requestId: write.requestId },
        );
        const said = write.validateOnly
          ? `dry run: ${safeText(name)} can be deleted; still at revision ${revision}`
          : `deleted ${safeText(name)}; now at revision ${revision}`;
        await print(context, `${said}\n`);
      }
    });
}
