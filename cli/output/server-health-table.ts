import type { NodeServerHealth, ServerStatus } from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { timeText } from "./message-json.ts";
import { abridged, renderTable } from "./table.ts";

const headers = ["NAME", "ADDRESS", "STATE", "REGION", "FAILING", "SEEN BY", "CONNECTIONS"];

/** A row for each server and region: how many of the region's nodes see it failing, which, why and since when. */
export function serverHealthTable(servers: readonly ServerStatus[]): string {
  return renderTable(
    headers,
    servers.flatMap(({ server, address, state, regions, traffic }) => {
      const connections = String(traffic?.connections ?? 0n);
      if (regions.length === 0) return [[server, address, state, "", "no nodes", "", connections]];
      return regions.map(({ region, nodes, nodesFailing, failing }) => [
        server,
        address,
        state,
        region,
        nodesFailing === 0 ? "none" : `${nodesFailing} of ${nodes}`,
        abridged(failing.map(failingText)) + unnamedText(nodesFailing - failing.length),
        connections,
      ]);
    }),
  );
}

function failingText({ node, reason, since }: NodeServerHealth): string {
  return `${node.replace(/^nodes\//, "")} (${reason} since ${timeText(since)})`;
}

/** The control plane names the first ones only. */
function unnamedText(count: number): string {
  return count > 0 ? ` and ${count} unnamed` : "";
}
