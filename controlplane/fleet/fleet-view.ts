import { sameBytes } from "../../model/commit.ts";
import {
  DigestMatch,
  type Node,
  type NodeHello,
  type NodeReport,
} from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { timestampToWire } from "../../model/wire/timestamp.ts";

/** Nodes that are remembered, connected or not; the longest gone are forgotten first. */
const nodesMax = 20_000;

/** What the log says, to compare a node's report with. */
export interface LogView {
  readonly revision: number;
  digestAt(revision: number): Uint8Array | undefined;
}

interface NodeEntry {
  readonly hello: NodeHello;
  /** Tells the node's sessions apart: only the newest one may report its end. */
  readonly session: symbol;
  report: NodeReport | undefined;
  connected: boolean;
  lastReportMs: number;
}

/** The fleet as its nodes report it: a fold over their messages, the latest of each. */
export class FleetView {
  readonly #nodes = new Map<string, NodeEntry>();

  /** A node's session begins. Another session of the same id is superseded. */
  connect(hello: NodeHello, nowMs: number): symbol {
    const session = Symbol(hello.nodeId);
    this.#nodes.delete(hello.nodeId);
    this.#nodes.set(hello.nodeId, { hello, session, report: undefined, connected: true, lastReportMs: nowMs });
    this.#forget();
    return session;
  }

  report(nodeId: string, session: symbol, report: NodeReport, nowMs: number): void {
    const entry = this.#nodes.get(nodeId);
    if (entry?.session !== session) return;
    entry.report = report;
    entry.lastReportMs = nowMs;
  }

  disconnect(nodeId: string, session: symbol): void {
    const entry = this.#nodes.get(nodeId);
    if (entry?.session === session) entry.connected = false;
  }

  node(id: string, log: LogView): Node | undefined {
    const entry = this.#nodes.get(id);
    return entry && nodeMessage(entry, log);
  }

  /** All nodes by id. */
  nodes(log: LogView): Node[] {
    const entries = [...this.#nodes.values()];
    entries.sort((left, right) => (left.hello.nodeId < right.hello.nodeId ? -1 : 1));
    return entries.map((entry) => nodeMessage(entry, log));
  }

  get connectedCount(): number {
    let count = 0;
    for (const entry of this.#nodes.values()) if (entry.connected) count += 1;
    return count;
  }

  /** Servers that every connected node sees as failing. */
  failingServers(): ReadonlySet<string> {
    const connected = [...this.#nodes.values()].filter((entry) => entry.connected && entry.report !== undefined);
    const counts = new Map<string, number>();
    for (const { report } of connected)
      for (const health of report?.serverHealth ?? [])
        if (health.failing) counts.set(health.server, (counts.get(health.server) ?? 0) + 1);
    return new Set([...counts].filter(([, count]) => count === connected.length).map(([server]) => server));
  }

  #forget(): void {
    if (this.#nodes.size <= nodesMax) return;
    for (const [id, entry] of this.#nodes)
      if (!entry.connected) {
        this.#nodes.delete(id);
        return;
      }
  }
}

function nodeMessage({ hello, report, connected, lastReportMs }: NodeEntry, log: LogView): Node {
  const revision = Number(report?.revision ?? 0n);
  return {
    name: `nodes/${hello.nodeId}`,
    region: hello.region,
    labels: hello.labels,
    bootId: hello.bootId,
    softwareVersion: hello.softwareVersion,
    engine: hello.engine,
    revision: BigInt(revision),
    digest: report?.digest ?? new Uint8Array(0),
    digestMatch: report === undefined ? DigestMatch.DIGEST_MATCH_UNSPECIFIED : digestMatch(report, log),
    lag: BigInt(Math.max(0, log.revision - revision)),
    connections: report?.connections ?? 0n,
    degraded: report?.degraded ?? [],
    connected,
    lastReportTime: timestampToWire(lastReportMs),
    serverHealth: report?.serverHealth ?? [],
  };
}

function digestMatch(report: NodeReport, log: LogView): DigestMatch {
  const expected = log.digestAt(Number(report.revision));
  if (expected === undefined) return DigestMatch.DIGEST_MATCH_UNKNOWN;
  return sameBytes(expected, report.digest) ? DigestMatch.DIGEST_MATCH_EQUAL : DigestMatch.DIGEST_MATCH_DIFFERENT;
}
