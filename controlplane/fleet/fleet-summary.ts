import { DigestMatch, RegionSummary } from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { digestMatchOf, type FleetNode, isCurrent, isReady, lagOf, type LogView } from "./fleet-node.ts";

/** Counts by region, by name. Lag is that of connected nodes: one that is gone is behind by nature. */
export function summaries(nodes: Iterable<FleetNode>, log: LogView): RegionSummary[] {
  const regions = new Map<string, RegionSummary>();
  for (const node of nodes) {
    const { region } = node.hello;
    let summary = regions.get(region);
    if (summary === undefined) {
      summary = RegionSummary.fromPartial({ region });
      regions.set(region, summary);
    }
    count(summary, node, log);
  }
  return [...regions.values()].sort((left, right) => (left.region < right.region ? -1 : 1));
}

function count(summary: RegionSummary, node: FleetNode, log: LogView): void {
  summary.nodes += 1;
  if (!node.connected) return;
  const { report } = node;
  const match = digestMatchOf(node, log);
  const lag = lagOf(node, log);
  summary.connected += 1;
  if (isReady(node)) summary.ready += 1;
  if (isCurrent(node, log)) summary.current += 1;
  if (match === DigestMatch.DIGEST_MATCH_DIFFERENT) summary.different += 1;
  if (report !== undefined && report.degraded.length > 0) summary.degraded += 1;
  const connections = summary.connections + (report?.connections ?? 0n);
  summary.connections = BigInt.asUintN(64, connections);
  if (lag > summary.lagMax) summary.lagMax = lag;
}
