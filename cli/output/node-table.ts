import { DigestMatch, FeedState } from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import type { Node } from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { timeText } from "./message-json.ts";
import { renderTable } from "./table.ts";

const headers = [
  "NAME",
  "REGION",
  "STATE",
  "REVISION",
  "LAG",
  "DIGEST",
  "CONNECTIONS",
  "DEGRADED",
  "FAILING",
  "ENGINE",
  "VERSION",
  "LAST REPORT",
];

/**
 * Nodes as a table, by region; what is wrong with one stands in words, not in a colour. Where commits wait for a rollout, or a
 * node has yet to fold some, a column says how far each has followed the log.
 */
export function nodeTable(nodes: readonly Node[]): string {
  const aheadOfServed = nodes.some(({ revision, logRevision }) => logRevision > revision);
  return renderTable(
    aheadOfServed ? [...headers.slice(0, 4), "LOG", ...headers.slice(4)] : headers,
    byRegion(nodes).map((node) => [
      node.name,
      node.region,
      stateText(node),
      revisionText(node),
      ...(aheadOfServed ? [node.logRevision === 0n ? "" : String(node.logRevision)] : []),
      String(node.lag),
      digestText(node.digestMatch),
      String(node.connections),
      String(node.degraded.length),
      String(node.serverHealth.filter(({ failing }) => failing).length),
      node.engine,
      node.softwareVersion,
      timeText(node.lastReportTime),
    ]),
  );
}

/** What it serves; `7->9` where another revision is released to it. */
export function revisionText({ revision, effectiveRevision }: Node): string {
  return effectiveRevision === 0n || effectiveRevision === revision
    ? String(revision)
    : `${revision}->${effectiveRevision}`;
}

/** Whether it serves what is released to it. */
export function isWhereItBelongs({ revision, effectiveRevision, lag }: Node): boolean {
  // A control plane of an older version does not say.
  return effectiveRevision === 0n ? lag === 0n : revision === effectiveRevision;
}

/** Nodes by region, and in it by name. */
export function byRegion(nodes: readonly Node[]): Node[] {
  return [...nodes].sort((left, right) => compare(left.region, right.region) || compare(left.name, right.name));
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** The first of what is the matter with a node; `connected` where nothing is. */
export function stateText(node: Node): string {
  if (!node.connected) return "LOST";
  if (node.digestMatch === DigestMatch.DIGEST_MATCH_UNSPECIFIED) return "starting";
  if (node.draining) return "draining";
  if (!node.ready) return "NOT READY";
  if (node.feed === FeedState.FEED_STATE_DISCONNECTED) return "LOG LOST";
  if (node.feed === FeedState.FEED_STATE_SILENT) return "LOG SILENT";
  return "connected";
}

/** Whether an operator should look at it. Lag alone passes: after each commit every node has some, for a moment. */
export function wantsAttention(node: Node): boolean {
  return (
    stateText(node) !== "connected" ||
    node.degraded.length > 0 ||
    node.digestMatch === DigestMatch.DIGEST_MATCH_DIFFERENT
  );
}

export function digestText(match: DigestMatch): string {
  switch (match) {
    case DigestMatch.DIGEST_MATCH_EQUAL:
      return "equal";
    case DigestMatch.DIGEST_MATCH_DIFFERENT:
      return "DIFFERENT";
    case DigestMatch.DIGEST_MATCH_UNKNOWN:
      return "unknown";
    case DigestMatch.DIGEST_MATCH_UNSPECIFIED:
      return "";
  }
}
