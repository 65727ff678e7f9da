import type { JsonObject } from "@bufbuild/protobuf";
import { Option } from "commander";
import type { Command } from "commander";
import { resourceKinds } from "../model/resource.ts";
import type { ResourceKind } from "../model/resource-name.ts";
import type { Resource } from "../proto/gen/switchyard/config/v1/resources.ts";
import { Node, ServerStatus } from "../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { CliFailure } from "./cli-failure.ts";
import type { AdminClient } from "./client/admin-client.ts";
import { configurationAt } from "./client/configuration-at.ts";
import { listServerStatuses } from "./client/fleet-calls.ts";
import { getNode, listNodes } from "./client/list-nodes.ts";
import { getResource, listResources } from "./client/resource-calls.ts";
import { withClient } from "./client/with-client.ts";
import type { CliContext } from "./context.ts";
import { note, print } from "./context.ts";
import { exitCode } from "./exit-code.ts";
import { messageJson, resourceJson } from "./output/message-json.ts";
import { byRegion, nodeTable } from "./output/node-table.ts";
import { resourceTable } from "./output/resource-table.ts";
import { safeDocument } from "./output/safe-text.ts";
import { serverHealthTable } from "./output/server-health-table.ts";
import { yamlText } from "./output/yaml-text.ts";
import { examples } from "./run-cli.ts";
import type { Target } from "./target-argument.ts";
import { fullParent, kindText, parseTarget } from "./target-argument.ts";

interface GetOptions {
  readonly output: "table" | "yaml" | "json";
  readonly parent?: string;
  readonly etag?: boolean;
  readonly health?: boolean;
}

export function registerGet(program: Command, context: CliContext): void {
  const command = program
    .command("get")
    .description("Show what is configured, and the nodes.")
    .argument(
      "<kind>",
      "listeners, routes, farms, servers, rolloutpolicies (or policies), nodes or all; `farm` and `f` do too; or a full name",
    )
    .argument("[name...]", "names, full or short: farms/web or web, farms/web/servers/a or web/a")
    .addOption(
      new Option("-o, --output <form>", "form of the output").choices(["table", "yaml", "json"]).default("table"),
    )
    .option("--parent <name>", "only the routes of this listener, or the servers of this farm")
    .option(
      "--health",
      "servers as the nodes see them: which fail, where, why and since when; connections, certificates",
    )
    .option("--etag", "keep etags in yaml and json; applied again, each must match what is stored")
    .addHelpText(
      "after",
      examples(
        ["switchyard get servers --parent farms/web", "the servers of one farm"],
        ["switchyard get farm web -o yaml", "one farm, as apply takes it"],
        ["switchyard get servers --health", "what the nodes see failing"],
        ["switchyard get nodes", "the fleet: revisions, digests, connections"],
      ),
    )
    .action(async (kind: string, names: readonly string[], options: GetOptions) => {
      const target = parseTarget([kind, ...names], options.parent);
      const parent = target.names.length > 0 ? "" : fullParent(target.kind, options.parent);
      if (options.health === true && target.kind !== "server")
        throw new CliFailure(exitCode.usage, "--health is for servers; nodes and their health: switchyard get nodes");
      await withClient(command, context, async (client) => {
        if (options.health === true) await printHealth(context, await healthOf(client, target, parent), options);
        else if (target.kind === "node") await printNodes(context, await nodesOf(client, target), options);
        else await printResources(context, target.kind, await resourcesOf(client, target, parent), options);
      });
    });
}

async function nodesOf(client: AdminClient, target: Target): Promise<readonly Node[]> {
  if (target.names.length === 0) return (await listNodes(client)).nodes;
  const nodes: Node[] = [];
  for (const name of target.names) nodes.push(await getNode(client, name));
  return nodes;
}

/** Asked farm by farm where servers are named. */
async function healthOf(client: AdminClient, { names }: Target, parent: string): Promise<readonly ServerStatus[]> {
  if (names.length === 0) return listServerStatuses(client, parent.endsWith("/-") ? "" : parent);
  const found = new Map<string, ServerStatus>();
  for (const farm of new Set(names.map((name) => name.replace(/\/servers\/[^/]*$/, ""))))
    for (const status of await listServerStatuses(client, farm)) found.set(status.server, status);
  return names.map((name) => {
    const status = found.get(name);
    if (status === undefined) throw new CliFailure(exitCode.failed, `there is no ${name}`);
    return status;
  });
}

async function resourcesOf(client: AdminClient, target: Target, parent: string): Promise<readonly Resource[]> {
  const { kind } = target;
  if (kind === "node") return [];
  if (kind === "all") return [...(await configurationAt(client, "head")).resources.values()];
  if (target.names.length === 0) return listResources(client, kind, parent);
  const resources: Resource[] = [];
  for (const name of target.names) resources.push(await getResource(client, kind, name));
  return resources;
}

async function printNodes(context: CliContext, nodes: readonly Node[], options: GetOptions): Promise<void> {
  if (options.output === "table") {
    if (nodes.length === 0) note(context, "no nodes");
    else await print(context, nodeTable(nodes));
    return;
  }
  const json = byRegion(nodes).map((node) => messageJson("switchyard.fleet.v1.Node", Node, node));
  await printDocument(context, { nodes: json }, options);
}

async function printHealth(context: CliContext, servers: readonly ServerStatus[], options: GetOptions): Promise<void> {
  if (options.output === "table") {
    if (servers.length === 0) note(context, "no servers");
    else await print(context, serverHealthTable(servers, Date.now()));
    return;
  }
  const json = servers.map((server) => messageJson("switchyard.fleet.v1.ServerStatus", ServerStatus, server));
  await printDocument(context, { servers: json }, options);
}

async function printDocument(context: CliContext, document: JsonObject, options: GetOptions): Promise<void> {
  await print(context, options.output === "yaml" ? yamlText(document) : jsonText(document));
}

async function printResources(
  context: CliContext,
  kind: ResourceKind | "all",
  resources: readonly Resource[],
  options: GetOptions,
): Promise<void> {
  if (options.output === "json") {
    const json = resources.map((resource) => resourceJson(resource, { etag: options.etag ?? false }));
    await print(context, jsonText({ resources: json }));
    return;
  }
  if (options.output === "yaml") {
    for (const [index, resource] of resources.entries())
      await print(
        context,
        (index === 0 ? "" : "---\n") + yamlText(resourceJson(resource, { etag: options.etag ?? false })),
      );
    return;
  }
  const kinds: readonly ResourceKind[] = kind === "all" ? resourceKinds : [kind];
  const tables = kinds.map((one) => [one, resources.filter((resource) => resource.kind?.$case === one)] as const);
  const filled = tables.filter(([, found]) => found.length > 0);
  if (filled.length === 0) note(context, kind === "all" ? "nothing is configured" : `no ${kindText[kind].many}`);
  for (const [index, [one, found]] of filled.entries())
    await print(context, (index === 0 ? "" : "\n") + resourceTable(one, found));
}

function jsonText(value: unknown): string {
  return `${safeDocument(JSON.stringify(value, undefined, 2))}\n`;
}
