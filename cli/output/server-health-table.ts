import type {
  NodeServerHealth,
  ServerInRegion,
  ServerStatus,
} from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { certificateText, reasonText, stateWord } from "./health-text.ts";
import { timeText } from "./message-json.ts";
import { abridged, renderTable } from "./table.ts";

const headers = [
  "NAME",
  "ADDRESS",
  "STATE",
  "REGION",
  "HEALTH",
  "SINCE",
  "REASON",
  "SEEN BY",
  "LIVE",
  "TOTAL",
  "CERTIFICATE",
];

/** Different reasons that are shown for one server in one region. */
const reasonsShownMax = 2;

/**
 * A row for each server and region: how many of the region's nodes see it failing, which, why and since when; its live
 * connections there, and all since its nodes started. `nowMs`: milliseconds since 1970.
 */
export function serverHealthTable(servers: readonly ServerStatus[], nowMs: number): string {
  return renderTable(
    headers,
    servers.flatMap((server) => {
      const configured = [server.server, server.address, server.state];
      const total = String(server.traffic?.connections ?? 0n);
      const certificate = certificateText(server.certificateExpiry, nowMs);
      if (server.regions.length === 0) return [[...configured, "", "no nodes", "", "", "", "", total, certificate]];
      return server.regions.map((region) => [...configured, ...regionCells(region), total, certificate]);
    }),
  );
}

function regionCells({ region, nodes, nodesFailing, failing, connections }: ServerInRegion): string[] {
  const live = String(connections);
  if (nodesFailing === 0) return [region, "up", "", "", "", live];
  const states = [...new Set(failing.map(({ state }) => stateWord(state)))].join(", ");
  const reasons = [...new Set(failing.map(reasonText))];
  return [
    region,
    `${states || "failing"} on ${nodesFailing} of ${nodes}`,
    timeText(earliest(failing)),
    abridged(reasons, reasonsShownMax),
    abridged(failing.map(({ node }) => node.replace(/^nodes\//, ""))) + unnamedText(nodesFailing - failing.length),
    live,
  ];
}

function earliest(failing: readonly NodeServerHealth[]): NodeServerHealth["since"] {
  let first: NodeServerHealth["since"];
  for (const { since } of failing)
    if (since !== undefined && (first === undefined || since.seconds < first.seconds)) first = since;
  return first;
}

/** The control plane names the first ones only. */
function unnamedText(count: number): string {
  return count > 0 ? ` and ${count} unnamed` : "";
}
