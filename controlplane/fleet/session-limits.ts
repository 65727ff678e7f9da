import type { NodeHello, NodeReport } from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";

/** Limits of what one node may say; past them its session is ended. */
const labelsMax = 64;
const labelTextMax = 128;
const degradedMax = 1000;
const serverHealthMax = 10_000;

/** Characters in all texts of one report: what is remembered of a node is bounded by it. */
const reportTextMax = 4 * 1024 * 1024;

/** Why a hello is refused, or undefined. */
export function helloFault(hello: NodeHello): string | undefined {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(hello.nodeId)) return "node_id: 1 to 128 of A-Z a-z 0-9 . _ -";
  if (hello.region.length > 63) return "region: at most 63 characters";
  const labels = Object.entries(hello.labels);
  if (labels.length > labelsMax) return `labels: at most ${labelsMax}`;
  if (labels.some(([key, value]) => key.length > labelTextMax || value.length > labelTextMax))
    return `labels: at most ${labelTextMax} characters each`;
  for (const text of [hello.bootId, hello.softwareVersion, hello.engine])
    if (text.length > 128) return "boot_id, software_version, engine: at most 128 characters";
  return undefined;
}

/** Why a report is refused, or undefined. */
export function reportFault(report: NodeReport): string | undefined {
  if (report.digest.length !== 32) return "digest: 32 bytes";
  if (report.degraded.length > degradedMax) return `degraded: at most ${degradedMax}`;
  if (report.serverHealth.length > serverHealthMax) return `server_health: at most ${serverHealthMax}`;
  let text = 0;
  for (const { name, reason, detail } of report.degraded) text += name.length + reason.length + detail.length;
  for (const { server, reason } of report.serverHealth) text += server.length + reason.length;
  return text > reportTextMax ? `degraded, server_health: at most ${reportTextMax} characters in all` : undefined;
}
