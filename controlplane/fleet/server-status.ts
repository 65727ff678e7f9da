import { setImmediate } from "node:timers/promises";
import type { Server } from "../../model/resource.ts";
import { timestampMs } from "../../model/wire/timestamp.ts";
import type { Timestamp } from "../../proto/gen/google/protobuf/timestamp.ts";
import {
  type NodeReport,
  type NodeServerHealth,
  type ServerHealth,
  ServerInRegion,
  type ServerStatus,
} from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import type { FleetNode } from "./fleet-node.ts";
import { Counts, uint64 } from "./traffic-totals.ts";

/** Nodes of one region that are named with their reasons, of those that see a server failing. */
const failingNamedMax = 10;

/** Other work runs after this many look-ups. */
export const lookupsPerTurn = 50_000;

/** What one region's nodes say of one server. */
interface Seen {
  failing: number;
  readonly named: NodeServerHealth[];
  /** Live ones; a number, as it is added to in place. */
  connections: number;
}

interface Gathering {
  readonly server: Server;
  readonly traffic: Counts;
  /** By region; only where some node says something of the server. */
  readonly seen: Map<string, Seen>;
  certificateExpiry: Timestamp | undefined;
}

/** Configured servers, each with what the nodes say of it: health and live connections of those that are connected, traffic of all. */
export async function serverStatuses(servers: readonly Server[], nodes: readonly FleetNode[]): Promise<ServerStatus[]> {
  const gathered = new Map<string, Gathering>();
  for (const server of servers)
    gathered.set(server.name, { server, traffic: new Counts(), seen: new Map(), certificateExpiry: undefined });
  const nodesByRegion = new Map<string, number>();
  let lookups = 0;
  for (const node of nodes) {
    lookups += addTraffic(gathered, node);
    if (node.connected && node.report !== undefined) {
      const { region } = node.hello;
      nodesByRegion.set(region, (nodesByRegion.get(region) ?? 0) + 1);
      lookups += addReport(gathered, node, node.report);
    }
    if (lookups < lookupsPerTurn) continue;
    lookups = 0;
    await setImmediate();
  }
  const regions = [...nodesByRegion].sort(([left], [right]) => (left < right ? -1 : 1));
  return Array.from(gathered.values(), (one) => statusMessage(one, regions));
}

/** Looks up the fewer of the node's servers and the wanted ones; answers how many. */
function addTraffic(gathered: ReadonlyMap<string, Gathering>, { traffic }: FleetNode): number {
  if (traffic.serverCount > gathered.size) {
    for (const [name, one] of gathered) traffic.addServerTo(one.traffic, name);
    return gathered.size;
  }
  for (const name of traffic.serverNames()) {
    const one = gathered.get(name);
    if (one !== undefined) traffic.addServerTo(one.traffic, name);
  }
  return traffic.serverCount;
}

/** Answers how many look-ups it took. */
function addReport(gathered: ReadonlyMap<string, Gathering>, node: FleetNode, report: NodeReport): number {
  const { serverHealth, serverConnections } = report;
  for (const health of serverHealth) {
    const one = gathered.get(health.server);
    if (one !== undefined) addHealth(one, node, health);
  }
  for (const { server, connections } of serverConnections) {
    const one = gathered.get(server);
    if (one !== undefined) seenIn(one, node.hello.region).connections += Number(connections);
  }
  return serverHealth.length + serverConnections.length;
}

function addHealth(one: Gathering, node: FleetNode, health: ServerHealth): void {
  one.certificateExpiry = earlier(one.certificateExpiry, health.certificateExpiry);
  if (!health.failing) return;
  const { reason, since, state, detail } = health;
  const seen = seenIn(one, node.hello.region);
  seen.failing += 1;
  if (seen.named.length < failingNamedMax) seen.named.push({ node: `nodes/${node.id}`, reason, since, state, detail });
}

function seenIn(one: Gathering, region: string): Seen {
  const known = one.seen.get(region);
  if (known !== undefined) return known;
  const seen: Seen = { failing: 0, named: [], connections: 0 };
  one.seen.set(region, seen);
  return seen;
}

function earlier(one: Timestamp | undefined, other: Timestamp | undefined): Timestamp | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return timestampMs(one) <= timestampMs(other) ? one : other;
}

function statusMessage(one: Gathering, regions: readonly (readonly [string, number])[]): ServerStatus {
  const { name, address, state } = one.server;
  const { certificateExpiry } = one;
  let connections = 0;
  for (const seen of one.seen.values()) connections += seen.connections;
  return {
    server: name,
    address,
    state,
    regions: regions.map(([region, nodes]) => {
      const seen = one.seen.get(region);
      if (seen === undefined) return ServerInRegion.fromPartial({ region, nodes });
      return { region, nodes, nodesFailing: seen.failing, failing: seen.named, connections: uint64(seen.connections) };
    }),
    traffic: one.traffic.toWire(),
    connections: uint64(connections),
    certificateExpiry,
  };
}
