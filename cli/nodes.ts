import { InvalidArgumentError, Option } from "commander";
import type { Command } from "commander";
import { TableDump } from "../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import type { Directive } from "../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { CliFailure } from "./cli-failure.ts";
import { directNode } from "./client/fleet-calls.ts";
import { withClient } from "./client/with-client.ts";
import type { CliContext } from "./context.ts";
import { note, print } from "./context.ts";
import { exitCode } from "./exit-code.ts";
import type { ExplainOptions } from "./explain.ts";
import { addExplainOptions, explainRequest, listenerName, printExplanation } from "./explain.ts";
import { messageJson } from "./output/message-json.ts";
import { safeDocument, safeText } from "./output/safe-text.ts";
import { renderTable } from "./output/table.ts";
import { examples } from "./run-cli.ts";

/** Telling running nodes what to do; nothing of it is kept in the log, nor by the node beyond its process. */
export function registerNodes(program: Command, context: CliContext): void {
  const nodes = program
    .command("nodes")
    .description("Have running nodes do something; `get nodes` shows them.")
    .addHelpText("after", examples(["switchyard nodes drain edge-7", "before the machine is worked on"]));
  registerDrain(nodes, context);
  registerResync(nodes, context);
  registerLogLevel(nodes, context);
  registerTable(nodes, context);
  registerExplainAt(nodes, context);
}

function registerDrain(nodes: Command, context: CliContext): void {
  const drain = nodes
    .command("drain")
    .argument("<id...>", "nodes, one after the other")
    .description("Take no new connections; live ones go on. Lasts until undrain, or until the node is started anew.")
    .addHelpText("after", examples(["switchyard nodes drain edge-7", "before the machine is worked on"]))
    .action((ids: readonly string[]) => tellEach(drain, context, ids, { $case: "drain", value: {} }, "draining"));
  const undrain = nodes
    .command("undrain")
    .argument("<id...>", "nodes, one after the other")
    .description("Take new connections again.")
    .addHelpText("after", examples(["switchyard nodes undrain edge-7", "back in service"]))
    .action((ids: readonly string[]) => tellEach(undrain, context, ids, { $case: "undrain", value: {} }, "undrained"));
}

function registerResync(nodes: Command, context: CliContext): void {
  const resync = nodes
    .command("resync")
    .argument("<id...>", "nodes, one after the other")
    .description("Fold the log anew beside what is served, and change over to it.")
    .addHelpText("after", examples(["switchyard nodes resync edge-7", "after its digest was DIFFERENT"]))
    .action((ids: readonly string[]) => tellEach(resync, context, ids, { $case: "resync", value: {} }, "resynced"));
}

function registerLogLevel(nodes: Command, context: CliContext): void {
  const logLevel = nodes
    .command("log-level")
    .argument("<id>", "a node")
    .argument("<level>", "trace, debug, info, warn, error, fatal or silent")
    .description("Change what a node logs, until it is started anew.")
    .addHelpText("after", examples(["switchyard nodes log-level edge-7 debug", "while a problem is looked for"]))
    .action((id: string, level: string) =>
      tellEach(logLevel, context, [id], { $case: "setLogLevel", value: { level } }, `logs ${level}`),
    );
}

interface TableOptions {
  readonly listener?: string;
  readonly prefix?: string;
  readonly limit?: number;
  readonly output: "table" | "json";
}

function registerTable(nodes: Command, context: CliContext): void {
  const table = nodes
    .command("table")
    .argument("<id>", "a node")
    .description("Show the names that a node routes by, from the table that it serves with.")
    .option("--listener <name>", "only of this listener")
    .option("--prefix <text>", "only names that begin with it")
    .addOption(new Option("-n, --limit <count>", "at most so many (default: 1000)").argParser(dumpLimit))
    .addOption(new Option("-o, --output <form>", "form of the output").choices(["table", "json"]).default("table"))
    .addHelpText("after", examples(["switchyard nodes table edge-7 --prefix shop.", "what it does with these names"]))
    .action(async (id: string, options: TableOptions) => {
      const listener = listenerName(options.listener);
      const value = { listener, prefix: options.prefix ?? "", limit: options.limit ?? 0 };
      const dump = await withClient(table, context, async (client) => {
        const result = await directNode(client, nodeName(id), { $case: "dumpTable", value });
        return result.table ?? TableDump.fromPartial({});
      });
      await printDump(context, dump, options.output);
    });
}

function dumpLimit(text: string): number {
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > 10_000) throw new InvalidArgumentError("1 to 10000");
  return limit;
}

async function printDump(context: CliContext, dump: TableDump, output: TableOptions["output"]): Promise<void> {
  if (output === "json") {
    const json = messageJson("switchyard.fleet.v1.TableDump", TableDump, dump);
    await print(context, `${safeDocument(JSON.stringify(json, undefined, 2))}\n`);
    return;
  }
  const rows = dump.entries.map(({ listener, serverName, route }) => [listener, serverName || "(no name)", route]);
  if (rows.length > 0) await print(context, renderTable(["LISTENER", "SERVER NAME", "ROUTE"], rows));
  const more = dump.truncated ? "; there are more, --limit and --prefix choose" : "";
  note(context, `${rows.length} names at revision ${dump.revision}${more}`);
}

function registerExplainAt(nodes: Command, context: CliContext): void {
  const command = nodes
    .command("explain")
    .argument("<id>", "a node")
    .description("Show where this node would send a connection, with its own table and what it knows of its servers.");
  addExplainOptions(command)
    .addHelpText("after", examples(["switchyard nodes explain edge-7 --sni shop.example.com", "as edge-7 sees it"]))
    .action(async (id: string, options: ExplainOptions) => {
      const request = explainRequest(options);
      const name = nodeName(id);
      const answer = await withClient(command, context, async (client) => {
        const result = await directNode(client, name, { $case: "explain", value: request });
        if (result.explain === undefined)
          throw new CliFailure(exitCode.failed, `the answer of ${name} explains nothing`);
        return result.explain;
      });
      await printExplanation(context, request, answer, options.output);
    });
}

/** The first that fails ends it: what came before it is done, and said. */
async function tellEach(
  command: Command,
  context: CliContext,
  ids: readonly string[],
  action: NonNullable<Directive["action"]>,
  done: string,
): Promise<void> {
  for (const id of ids) {
    const name = nodeName(id);
    await withClient(command, context, (client) => directNode(client, name, action));
    await print(context, `${safeText(name)} ${safeText(done)}\n`);
  }
}

function nodeName(id: string): string {
  const name = id.startsWith("nodes/") ? id : `nodes/${id}`;
  if (/^nodes\/[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(name)) return name;
  throw new CliFailure(exitCode.usage, `${id} is no node's id: 1 to 128 of A-Z a-z 0-9 . _ -, a letter or digit first`);
}
