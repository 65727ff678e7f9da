import { parseIpAddress } from "../../model/address.ts";
import { type FarmName, isFarmName, isListenerName } from "../../model/resource-name.ts";
import type { Announcement, Listener } from "../../model/resource.ts";
import { parseServerName, type ServerName } from "../../model/server-name.ts";
import type { Violation } from "../../model/violation.ts";
import type * as fleet from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { type InternalFault, streaming, unary } from "../admin/handler.ts";
import { Listings, pageSize } from "../admin/listing.ts";
import { Refused } from "../admin/refused.ts";
import type { EventLog } from "../log/event-log.ts";
import type { LiveConfiguration } from "../state/live-configuration.ts";
import { directNode } from "./direct-node.ts";
import { explain } from "./explain.ts";
import { farmStatuses } from "./farm-status.ts";
import type { FleetBus } from "./fleet-bus.ts";
import type { FleetExchange } from "./fleet-exchange.ts";
import { type FleetNode, type LogView, messageLoadMax, nodeLoad, nodeMessage } from "./fleet-node.ts";
import { summaries } from "./fleet-summary.ts";
import type { FleetView } from "./fleet-view.ts";
import { lookAtLog } from "./look-at-log.ts";
import { serverStatuses } from "./server-status.ts";
import { holdSession, type SessionParts } from "./session.ts";
import { FleetWatchers } from "./watch-fleet.ts";

/** What the fleet's methods work on. */
export interface FleetParts extends SessionParts {
  readonly log: EventLog;
  readonly live: LiveConfiguration;
  /** Both undefined for the only replica. */
  readonly bus: FleetBus | undefined;
  readonly exchange: FleetExchange | undefined;
  readonly fault: InternalFault;
}

export function fleetService(parts: FleetParts): fleet.FleetServiceServer {
  const { live, view, fault, stopping } = parts;
  const log = logView(live);
  const listings = new Listings(parts.log, live);
  const watchers = new FleetWatchers();
  return {
    session: (call) => holdSession(parts, call),
    listNodes: unary(fault, async (request) => {
      await lookAtLog(live);
      return listNodes(view, log, request);
    }),
    getNode: unary(fault, async ({ name }) => {
      await lookAtLog(live);
      const node = name.startsWith("nodes/") ? view.node(name.slice("nodes/".length), log) : undefined;
      if (node !== undefined) return { node };
      const description = `there is no ${JSON.stringify(name.slice(0, 80))}`;
      throw Refused.by("NOT_FOUND", [{ field: "name", reason: "unknown_reference", description }]);
    }),
    getFleet: unary(fault, async () => {
      await lookAtLog(live);
      const replicas = parts.exchange?.replicas() ?? [view.replica];
      const { revision, epoch } = log;
      return { revision: BigInt(revision), epoch: BigInt(epoch), regions: summaries(view.shown(), log), replicas };
    }),
    watchFleet: streaming(fault, stopping, (request, send, signal) =>
      watchers.watch({ live, view, log }, request, send, signal),
    ),
    listServers: unary(fault, async (request) => {
      await lookAtLog(live);
      return listServers(parts, listings, request);
    }),
    listFarms: unary(fault, async (request) => {
      await lookAtLog(live);
      return listFarms(parts, listings, request);
    }),
    directNode: unary(fault, (request) => directNode(parts, request)),
    explain: unary(fault, async (request) => {
      await lookAtLog(live);
      const listener = wantedListener(live, request.listener);
      return explain(live.configuration, listener, announcementOf(request), view.failingServers());
    }),
  };
}

function logView(live: LiveConfiguration): LogView {
  return {
    get epoch() {
      return live.position.epoch;
    },
    get revision() {
      return live.position.revision;
    },
    get releases() {
      return live.configuration.releases;
    },
    digestAt: (revision) => live.digestAt(revision),
  };
}

function listNodes(view: FleetView, log: LogView, request: fleet.ListNodesRequest): fleet.ListNodesResponse {
  const size = pageSize(request.pageSize, 100);
  const after = request.pageToken;
  if (after !== "" && !after.startsWith("nodes/"))
    throw new Refused("INVALID_PAGE_TOKEN", `${JSON.stringify(after.slice(0, 80))} is no page token of this list`);
  const nodes = view.sorted().filter((node) => `nodes/${node.id}` > after);
  const page = nodes.slice(0, countForMessage(nodes, size)).map((node) => nodeMessage(node, log));
  const nextPageToken = nodes.length > page.length ? (page.at(-1)?.name ?? "") : "";
  return { nodes: page, nextPageToken, revision: BigInt(log.revision) };
}

/** How many of the nodes make one page: at least one, and no message that nobody takes. */
function countForMessage(nodes: readonly FleetNode[], size: number): number {
  let load = 0;
  for (const [index, node] of nodes.slice(0, size).entries()) {
    load += nodeLoad(node);
    if (index > 0 && load > messageLoadMax) return index;
  }
  return size;
}

async function listServers(
  { live, view }: FleetParts,
  listings: Listings,
  { farm, pageSize: wanted, pageToken }: fleet.ListServersRequest,
): Promise<fleet.ListServersResponse> {
  checkFarm(live, farm);
  const prefix = farm === "" ? "" : `${farm}/`;
  const { resources, nextPageToken } = await listings.page("server", prefix, pageSize(wanted, 100), pageToken);
  const servers = resources.flatMap((resource) => (resource.kind === "server" ? [resource] : []));
  return { servers: await serverStatuses(servers, [...view.shown()]), nextPageToken };
}

async function listFarms(
  { live, view }: FleetParts,
  listings: Listings,
  { farm, pageSize: wanted, pageToken }: fleet.ListFarmsRequest,
): Promise<fleet.ListFarmsResponse> {
  checkFarm(live, farm);
  if (isFarmName(farm)) return { farms: await farmsOf(live, view, [farm]), nextPageToken: "" };
  const { resources, nextPageToken } = await listings.page("farm", "", pageSize(wanted, 100), pageToken);
  const names = resources.flatMap((resource) => (resource.kind === "farm" ? [resource.name] : []));
  return { farms: await farmsOf(live, view, names), nextPageToken };
}

function farmsOf(live: LiveConfiguration, view: FleetView, names: readonly FarmName[]): Promise<fleet.FarmStatus[]> {
  const farms = names.map((farm) => ({ farm, servers: [...live.index.children(farm)].length }));
  return farmStatuses(farms, live.configuration, [...view.shown()]);
}

function checkFarm(live: LiveConfiguration, farm: string): void {
  if (farm === "" || (isFarmName(farm) && live.configuration.farms.has(farm))) return;
  const description = `there is no ${JSON.stringify(farm.slice(0, 80))}`;
  throw Refused.by("NOT_FOUND", [{ field: "farm", reason: "unknown_reference", description }]);
}

function wantedListener(live: LiveConfiguration, name: string): Listener {
  const { listeners } = live.configuration;
  if (name === "" && listeners.size === 1) return listeners.values().next().value as Listener;
  const listener = isListenerName(name) ? listeners.get(name) : undefined;
  if (listener !== undefined) return listener;
  const known = [...listeners.keys()].slice(0, 5).join(", ") || "none";
  if (name === "" && listeners.size > 0)
    throw Refused.by("INVALID_FIELD", [{ field: "listener", reason: "required", description: `one of ${known}` }]);
  const description = `there is no ${name === "" ? "listener" : JSON.stringify(name.slice(0, 80))}: ${known}`;
  throw Refused.by("NOT_FOUND", [{ field: "listener", reason: "unknown_reference", description }]);
}

function announcementOf(request: fleet.ExplainRequest): Announcement {
  const violations: Violation[] = [];
  let serverName: ServerName | null = null;
  if (request.serverName !== "") {
    const parsed = parseServerName(request.serverName);
    if ("name" in parsed) serverName = parsed.name;
    else {
      const description = `a hello with this name is refused: ${parsed.fault}`;
      violations.push({ field: "server_name", reason: "malformed", description });
    }
  }
  const source = request.source === "" ? null : (parseIpAddress(request.source) ?? null);
  if (request.source !== "" && source === null)
    violations.push({ field: "source", reason: "malformed", description: "it is no IP address" });
  if (violations.length > 0) throw Refused.by("INVALID_FIELD", violations);
  return { serverName, alpnProtocols: request.alpnProtocols, source };
}
