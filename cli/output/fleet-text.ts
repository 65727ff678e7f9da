import { DigestMatch, type Node, RegionSummary } from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { stateWord } from "./health-text.ts";
import { timeText } from "./message-json.ts";
import { isWhereItBelongs, nodeTable, wantsAttention } from "./node-table.ts";
import { renderTable } from "./table.ts";

/** In a larger fleet only the nodes that somebody should look at are shown one by one. */
const nodesShownMax = 20;

/** Revisions that a fleet's line has: a rollout has two, and those that were aborted before it leave one more each. */
const placesMax = 4;

/** Of nodes, and of troubles, that want attention. */
const rowsMax = 50;

/**
 * `3 connected, 2 of them at revision 7; 1 LOST`. While a rollout is under way, nodes belong at several revisions: `3 connected, 3
 * of them where they belong: 1 at revision 9, 2 at 7`.
 */
export function fleetLine(regions: readonly RegionSummary[], nodes: readonly Node[], revision: bigint): string {
  const sum = (key: "nodes" | "connected" | "current" | "different"): number =>
    regions.reduce((total, region) => total + region[key], 0);
  if (sum("nodes") === 0) return "none has reported";
  const lost = sum("nodes") - sum("connected");
  const different = sum("different");
  return [
    `${sum("connected")} connected, ${sum("current")} of them ${placesText(nodes, revision)}`,
    ...(different === 0 ? [] : [`${different} DIFFERENT`]),
    ...(lost === 0 ? [] : [`${lost} LOST`]),
  ].join("; ");
}

/** Where the nodes belong that are connected; the newest revision where nothing is known of them. */
function placesText(nodes: readonly Node[], newest: bigint): string {
  const counts = new Map<bigint, number>();
  for (const { connected, effectiveRevision } of nodes)
    if (connected && effectiveRevision !== 0n) counts.set(effectiveRevision, (counts.get(effectiveRevision) ?? 0) + 1);
  const places = [...counts].sort(([left], [right]) => (left < right ? 1 : -1));
  if (places.length < 2) return `at revision ${places[0]?.[0] ?? newest}`;
  const said = places.map(([revision, count], index) => `${count} at ${index === 0 ? "revision " : ""}${revision}`);
  return `where they belong: ${said.slice(0, placesMax).join(", ")}${said.length > placesMax ? ", ..." : ""}`;
}

export function regionTable(regions: readonly RegionSummary[]): string {
  return renderTable(
    ["REGION", "NODES", "CONNECTED", "READY", "CURRENT", "DIFFERENT", "DEGRADED", "LAG", "CONNECTIONS"],
    regions.map((one) => [
      one.region,
      ...[one.nodes, one.connected, one.ready, one.current, one.different, one.degraded].map(String),
      String(one.lagMax),
      String(one.connections),
    ]),
  );
}

/** The nodes, or those of many that want attention, and below them what is the matter with their objects and servers. */
export function nodesText(nodes: readonly Node[]): string {
  const shown = nodes.length <= nodesShownMax ? nodes : nodes.filter(wantsAttention);
  const parts: string[] = [];
  if (shown.length > 0) parts.push(nodeTable(shown.slice(0, rowsMax)) + moreText(shown.length));
  const troubles = troubleRows(nodes);
  if (troubles.length > 0)
    parts.push(
      renderTable(["NODE", "OBJECT", "REASON", "DETAIL"], troubles.slice(0, rowsMax)) + moreText(troubles.length),
    );
  return parts.map((part) => `\n${part}`).join("");
}

function moreText(count: number): string {
  return count > rowsMax ? `and ${count - rowsMax} more: switchyard get nodes\n` : "";
}

/** What nodes could not carry out, and servers that they see failing. */
function troubleRows(nodes: readonly Node[]): string[][] {
  return nodes.flatMap((node) => [
    ...node.degraded.map(({ name, reason, detail }) => [node.name, name, reason, detail]),
    ...node.serverHealth
      .filter(({ failing }) => failing)
      .map(({ server, reason, since, state, detail }) => [
        node.name,
        server,
        reason,
        `${stateWord(state)} since ${timeText(since)}${detail === "" ? "" : `: ${detail}`}`,
      ]),
  ]);
}

/** The counts that the control plane would give for these nodes, by region. */
export function summariesOf(nodes: Iterable<Node>): RegionSummary[] {
  const regions = new Map<string, RegionSummary>();
  for (const node of nodes) {
    const { region } = node;
    const summary = regions.get(region) ?? RegionSummary.fromPartial({ region });
    regions.set(region, summary);
    summary.nodes += 1;
    if (!node.connected) continue;
    summary.connected += 1;
    if (node.ready) summary.ready += 1;
    if (isWhereItBelongs(node) && node.digestMatch === DigestMatch.DIGEST_MATCH_EQUAL) summary.current += 1;
    if (node.digestMatch === DigestMatch.DIGEST_MATCH_DIFFERENT) summary.different += 1;
    if (node.degraded.length > 0) summary.degraded += 1;
    summary.connections += node.connections;
    if (node.lag > summary.lagMax) summary.lagMax = node.lag;
  }
  return [...regions.values()].sort((left, right) => (left.region < right.region ? -1 : 1));
}
