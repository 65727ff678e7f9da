import { DigestMatch } from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
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

/** Nodes as a table; what is wrong with one stands in words, not in a colour. */
export function nodeTable(nodes: readonly Node[]): string {
  return renderTable(
    headers,
    nodes.map((node) => [
      node.name,
      node.region,
      node.connected ? "connected" : "LOST",
      String(node.revision),
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

function digestText(match: DigestMatch): string {
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
