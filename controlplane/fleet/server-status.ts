import { setImmediate } from "node:timers/promises";
import type { Server } from "../../model/resource.ts";
import type { ServerHealth, ServerInRegion, ServerStatus } from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import type { FleetNode } from "./fleet-node.ts";
import { Counts } from "./traffic-totals.ts";

/** Nodes of one region that are named with their reasons, of those that see a server failing. */
const failingNamedMax = 10;

/** Other work runs after this many look-ups. */
const lookupsPerTurn = 50_000;

interface Gathering {
  readonly server: Server;
  readonly traffic: Counts;
  /** By region; only where some node sees it failing. */
  readonly failing: Map<string, { nodes: number; readonly named: ServerInRegion["failing"] }>;
}

/** Configured servers, each with what the nodes say of it: health of those that are connected, traffic of all. */
export async function serverStatuses(servers: readonly Server[], nodes: readonly FleetNode[]): Promise<ServerStatus[]> {
  const gathered = new Map<string, Gathering>();
  for (const server of servers) gathered.set(server.name, { server, traffic: new Counts(), failing: new Map() });
  const nodesByRegion = new Map<string, number>();
  let lookups = 0;
  for (const node of nodes) {
    lookups += addTraffic(gathered, node);
    if (node.connected && node.report !== undefined) {
      const { region } = node.hello;
      nodesByRegion.set(region, (nodesByRegion.get(region) ?? 0) + 1);
      for (const health of node.report.serverHealth) addHealth(gathered.get(health.server), node, health);
      lookups += node.report.serverHealth.length;
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

function addHealth(one: Gathering | undefined, node: FleetNode, { failing, reason, since }: ServerHealth): void {
  if (one === undefined || !failing) return;
  const { region } = node.hello;
  const seen = one.failing.get(region) ?? { nodes: 0, named: [] };
  seen.nodes += 1;
  if (seen.named.length < failingNamedMax) seen.named.push({ node: `nodes/${node.id}`, reason, since });
  one.failing.set(region, seen);
}

function statusMessage(one: Gathering, regions: readonly (readonly [string, number])[]): ServerStatus {
  const { name, address, state } = one.server;
  return {
    server: name,
    address,
    state,
    regions: regions.map(([region, nodes]) => {
      const failing = one.failing.get(region);
      return { region, nodes, nodesFailing: failing?.nodes ?? 0, failing: failing?.named ?? [] };
    }),
    traffic: one.traffic.toWire(),
  };
}
