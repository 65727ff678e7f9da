import type { Command } from "commander";
import type { CommitInfo } from "../proto/gen/switchyard/config/v1/commits.ts";
import type { ListCommitsResponse } from "../proto/gen/switchyard/config/v1/config_service.ts";
import type { Node } from "../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { listNodes } from "./client/list-nodes.ts";
import { serverOf, withClient } from "./client/with-client.ts";
import type { CliContext } from "./context.ts";
import { print } from "./context.ts";
import { timeText } from "./output/message-json.ts";
import { nodeTable } from "./output/node-table.ts";
import { renderFields, renderTable } from "./output/table.ts";
import { examples } from "./run-cli.ts";

export function registerStatus(program: Command, context: CliContext): void {
  const command = program
    .command("status")
    .description("Show the control plane, its last commit, the nodes, and what they could not carry out.")
    .addHelpText("after", examples(["switchyard status --server 10.0.0.5:7700", "a control plane elsewhere"]))
    .action(async () => {
      const { fleet, commits } = await withClient(command, context, async (client) => ({
        fleet: await listNodes(client),
        commits: await client.unary<ListCommitsResponse>((...tail) =>
          client.config.listCommits({ pageSize: 1, pageToken: "" }, ...tail),
        ),
      }));
      await print(
        context,
        renderFields([
          ["control plane", `${serverOf(command, context)}, reachable`],
          ["revision", revisionText(commits.commits[0])],
          ["nodes", nodesText(fleet.nodes, commits.commits[0]?.revision ?? fleet.revision)],
        ]),
      );
      if (fleet.nodes.length > 0) await print(context, `\n${nodeTable(fleet.nodes)}`);
      const troubles = troubleRows(fleet.nodes);
      if (troubles.length > 0)
        await print(context, `\n${renderTable(["NODE", "OBJECT", "REASON", "DETAIL"], troubles)}`);
    });
}

function revisionText(head: CommitInfo | undefined): string {
  if (head === undefined) return "0: nothing has been committed yet";
  const reason = head.reason === "" ? "" : `: ${head.reason}`;
  return `${head.revision}, by ${head.author}, ${timeText(head.time)}${reason}`;
}

function nodesText(nodes: readonly Node[], head: bigint): string {
  const connected = nodes.filter((node) => node.connected);
  const current = connected.filter((node) => node.revision === head);
  if (nodes.length === 0) return "none has reported";
  const lost = nodes.length - connected.length;
  return `${connected.length} connected, ${current.length} of them at revision ${head}${lost === 0 ? "" : `; ${lost} LOST`}`;
}

/** What nodes could not carry out, and servers that they see failing. */
function troubleRows(nodes: readonly Node[]): string[][] {
  return nodes.flatMap((node) => [
    ...node.degraded.map(({ name, reason, detail }) => [node.name, name, reason, detail]),
    ...node.serverHealth
      .filter(({ failing }) => failing)
      .map(({ server, reason, since }) => [node.name, server, reason, `failing since ${timeText(since)}`]),
  ]);
}
