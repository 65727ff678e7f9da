import type {
  DirectiveResult,
  NodeHello,
  NodeReport,
  Traffic,
  TrafficDelta,
} from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";

/** Limits of what one node may say; past them its session is ended. */
const labelsMax = 64;
const labelTextMax = 128;
const degradedMax = 1000;
const serverHealthMax = 10_000;
const nameMax = 256;
const reasonMax = 128;
const detailMax = 4096;
const healthDetailMax = 1024;
const serverConnectionsMax = 10_000;
const farmAffinityMax = 1000;
const sentenceMax = 1024;

/** Routes, and servers, in one delta. */
const trafficMax = 20_000;

/** Words in one map of counts, and characters in one. */
const wordsMax = 64;
const wordMax = 64;

/** Entries of a dumped table, candidates of an explained hello, steps. */
const resultEntriesMax = 10_000;

/** One message of a session, encoded; it is looked at before it is decoded. */
export const sessionMessageBytesMax = 8 * 1024 * 1024;

/** What one session may take in the long run, and at once. A node that says no more than it must is far below. */
export const sessionRate = {
  messagesPerS: 500,
  messagesBurst: 2000,
  bytesPerS: 8 << 20,
  bytesBurst: 32 << 20,
} as const;

/** Why a hello is refused, or undefined. */
export function helloFault(hello: NodeHello): string | undefined {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(hello.nodeId)) return "node_id: 1 to 128 of A-Z a-z 0-9 . _ -";
  if (hello.region.length > 63) return "region: at most 63 characters";
  let labels = 0;
  for (const key in hello.labels) {
    labels += 1;
    if (labels > labelsMax) return `labels: at most ${labelsMax}`;
    if (key.length > labelTextMax || (hello.labels[key] ?? "").length > labelTextMax)
      return `labels: at most ${labelTextMax} characters each`;
  }
  if (hello.bootId.length > 128 || hello.softwareVersion.length > 128 || hello.engine.length > 128)
    return "boot_id, software_version, engine: at most 128 characters";
  const digestBytes = hello.lastKnownGoodDigest.length;
  return digestBytes === 0 || digestBytes === 32 ? undefined : "last_known_good_digest: 32 bytes";
}

/** Why a report is refused, or undefined. */
export function reportFault(report: NodeReport): string | undefined {
  if (report.digest.length !== 32) return "digest: 32 bytes";
  if (report.degraded.length > degradedMax) return `degraded: at most ${degradedMax}`;
  if (report.serverHealth.length > serverHealthMax) return `server_health: at most ${serverHealthMax}`;
  for (const { name, reason, detail } of report.degraded)
    if (name.length > nameMax || reason.length > reasonMax || detail.length > detailMax)
      return `degraded: at most ${nameMax}, ${reasonMax} and ${detailMax} characters`;
  for (const { server, reason, detail } of report.serverHealth)
    if (server.length > nameMax || reason.length > reasonMax || detail.length > healthDetailMax)
      return `server_health: at most ${nameMax}, ${reasonMax} and ${healthDetailMax} characters`;
  return serversFault(report) ?? affinityFault(report);
}

function serversFault({ serverConnections }: NodeReport): string | undefined {
  if (serverConnections.length > serverConnectionsMax) return `server_connections: at most ${serverConnectionsMax}`;
  for (const { server } of serverConnections)
    if (server.length > nameMax) return `server_connections: at most ${nameMax} characters`;
  return undefined;
}

function affinityFault({ farmAffinity }: NodeReport): string | undefined {
  if (farmAffinity.length > farmAffinityMax) return `farm_affinity: at most ${farmAffinityMax}`;
  for (const { farm, finding, sentence, advice } of farmAffinity)
    if (farm.length > nameMax || finding.length > wordMax || sentence.length > sentenceMax || advice.length > detailMax)
      return `farm_affinity: at most ${nameMax}, ${wordMax}, ${sentenceMax} and ${detailMax} characters`;
  return undefined;
}

/** Why a delta is refused, or undefined. */
export function trafficFault(delta: TrafficDelta): string | undefined {
  if (delta.routes.length > trafficMax || delta.servers.length > trafficMax)
    return `routes, servers: at most ${trafficMax} each`;
  for (const { route, traffic } of delta.routes) {
    const fault = countsFault(route, traffic);
    if (fault !== undefined) return fault;
  }
  for (const { server, traffic } of delta.servers) {
    const fault = countsFault(server, traffic);
    if (fault !== undefined) return fault;
  }
  return countsFault("", delta.unrouted);
}

function countsFault(name: string, traffic: Traffic | undefined): string | undefined {
  if (name.length > nameMax) return `route, server: at most ${nameMax} characters`;
  if (traffic === undefined) return undefined;
  return wordsFault(traffic.ended) ?? wordsFault(traffic.handshakes) ?? wordsFault(traffic.resumptions);
}

function wordsFault(counts: Readonly<Record<string, bigint>>): string | undefined {
  let words = 0;
  for (const word in counts) {
    words += 1;
    if (words > wordsMax || word.length > wordMax)
      return `ended, handshakes, resumptions: at most ${wordsMax} words of ${wordMax} characters`;
  }
  return undefined;
}

/** Why an answer to a directive is refused, or undefined. */
export function resultFault(result: DirectiveResult): string | undefined {
  if (result.refused.length > detailMax) return `refused: at most ${detailMax} characters`;
  for (const list of [result.table?.entries, result.explain?.servers, result.explain?.steps])
    if (list !== undefined && list.length > resultEntriesMax) return `a result: at most ${resultEntriesMax} entries`;
  return undefined;
}
