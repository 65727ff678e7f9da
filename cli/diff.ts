import type { Command } from "commander";
import type { ConfigurationAt } from "./client/configuration-at.ts";
import { compareNames, configurationAt } from "./client/configuration-at.ts";
import { parseRevision } from "./client/revision-argument.ts";
import { withClient } from "./client/with-client.ts";
import type { CliContext } from "./context.ts";
import { note, print } from "./context.ts";
import { exitCode } from "./exit-code.ts";
import { resourceDiff } from "./output/resource-diff.ts";
import { examples } from "./run-cli.ts";

export function registerDiff(program: Command, context: CliContext): void {
  const command = program
    .command("diff")
    .description("Show what differs between the configurations at two revisions. Exit code 0: nothing; 4: something.")
    .argument("<from>", "a revision, or head; 0 is the empty configuration")
    .argument("<to>", "a revision, or head")
    .addHelpText(
      "after",
      examples(
        ["switchyard diff 41 head", "what has changed since revision 41"],
        ["switchyard diff 41 42 >/dev/null || echo changed", "in a script"],
      ),
    )
    .action(async (...words: [string, string]) => {
      const [from, to] = [parseRevision(words[0]), parseRevision(words[1])];
      const [before, after] = await withClient(
        command,
        context,
        async (client) => [await configurationAt(client, from), await configurationAt(client, to)] as const,
      );
      if (await printDiff(context, before, after)) context.finish(exitCode.different);
    });
}

/** Prints the differences, and answers whether there are any. */
async function printDiff(context: CliContext, before: ConfigurationAt, after: ConfigurationAt): Promise<boolean> {
  const names = [...new Set([...before.resources.keys(), ...after.resources.keys()])].sort(compareNames);
  const counts = { added: 0, changed: 0, removed: 0 };
  for (const name of names) {
    const [was, is] = [before.resources.get(name), after.resources.get(name)];
    const text = resourceDiff(context, was, is);
    if (text === "") continue;
    counts[was === undefined ? "added" : is === undefined ? "removed" : "changed"] += 1;
    await print(context, text);
  }
  const said = Object.entries(counts).flatMap(([what, count]) => (count === 0 ? [] : [`${count} ${what}`]));
  const range = `from revision ${before.revision} to ${after.revision}`;
  note(context, said.length === 0 ? `no difference ${range}` : `${said.join(", ")} ${range}`);
  return said.length > 0;
}
