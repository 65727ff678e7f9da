import { setImmediate } from "node:timers/promises";
import type { Configuration } from "../../model/configuration.ts";
import { farmOf, isServerResourceName, type FarmName } from "../../model/resource-name.ts";
import type {
  FarmAffinity,
  FarmAffinityFinding,
  FarmStatus,
  NodeReport,
} from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import type { FleetNode } from "./fleet-node.ts";
import { lookupsPerTurn } from "./server-status.ts";
import { Counts, uint64 } from "./traffic-totals.ts";

/** Nodes that are named for one finding. */
export const findingNodesMax = 100;

interface Finding {
  /** Of the node that knows the most ticket names: its sentence says the most. */
  affinity: FarmAffinity;
  readonly nodes: string[];
}

interface Gathering {
  readonly farm: FarmName;
  readonly servers: number;
  /** Configured servers that some connected node sees failing. */
  readonly failing: Set<string>;
  readonly traffic: Counts;
  connections: number;
  /** By the finding's word. */
  readonly findings: Map<string, Finding>;
}

/** A farm and how many servers it has. */
export interface FarmSize {
  readonly farm: FarmName;
  readonly servers: number;
}

/**
 * Farms, each with what the nodes say of its servers and of its clients' TLS sessions: health, live connections and findings of
 * those that are connected, traffic of all. Traffic and connections of a server that is deleted count for its farm still.
 */
export async function farmStatuses(
  farms: readonly FarmSize[],
  configuration: Configuration,
  nodes: readonly FleetNode[],
): Promise<FarmStatus[]> {
  const gathered = new Map<string, Gathering>();
  for (const { farm, servers } of farms)
    gathered.set(farm, {
      farm,
      servers,
      failing: new Set(),
      traffic: new Counts(),
      connections: 0,
      findings: new Map(),
    });
  let lookups = 0;
  for (const node of nodes) {
    for (const name of node.traffic.serverNames()) {
      const one = farmOfServer(gathered, name);
      if (one !== undefined) node.traffic.addServerTo(one.traffic, name);
    }
    lookups += node.traffic.serverCount;
    if (node.connected && node.report !== undefined) lookups += addReport(gathered, configuration, node, node.report);
    if (lookups < lookupsPerTurn) continue;
    lookups = 0;
    await setImmediate();
  }
  return Array.from(gathered.values(), statusMessage);
}

/** Answers how many look-ups it took. */
function addReport(
  gathered: ReadonlyMap<string, Gathering>,
  configuration: Configuration,
  node: FleetNode,
  { serverHealth, serverConnections, farmAffinity }: NodeReport,
): number {
  for (const { server, failing } of serverHealth) {
    if (!failing || !isServerResourceName(server) || !configuration.servers.has(server)) continue;
    farmOfServer(gathered, server)?.failing.add(server);
  }
  for (const { server, connections } of serverConnections) {
    const one = farmOfServer(gathered, server);
    if (one !== undefined) one.connections += Number(connections);
  }
  for (const affinity of farmAffinity) {
    const one = gathered.get(affinity.farm);
    if (one !== undefined) addFinding(one.findings, node, affinity);
  }
  return serverHealth.length + serverConnections.length + farmAffinity.length;
}

/** Names come from nodes, and traffic has `(other)` among them. */
function farmOfServer(gathered: ReadonlyMap<string, Gathering>, server: string): Gathering | undefined {
  return isServerResourceName(server) ? gathered.get(farmOf(server)) : undefined;
}

function addFinding(findings: Map<string, Finding>, node: FleetNode, affinity: FarmAffinity): void {
  const known = findings.get(affinity.finding);
  const name = `nodes/${node.id}`;
  if (known === undefined) {
    findings.set(affinity.finding, { affinity, nodes: [name] });
    return;
  }
  if (affinity.ticketNames > known.affinity.ticketNames) known.affinity = affinity;
  if (known.nodes.length < findingNodesMax) known.nodes.push(name);
}

function statusMessage(one: Gathering): FarmStatus {
  const affinity = Array.from(one.findings.values(), ({ affinity: each, nodes }): FarmAffinityFinding => {
    return { affinity: each, nodes: nodes.sort() };
  });
  return {
    farm: one.farm,
    servers: one.servers,
    serversFailing: one.failing.size,
    traffic: one.traffic.toWire(),
    connections: uint64(one.connections),
    // What most nodes found stands first.
    affinity: affinity.sort((left, right) => right.nodes.length - left.nodes.length),
  };
}
