import { sameBytes } from "../../model/commit.ts";
import {
  DigestMatch,
  FeedState,
  type Node,
  type NodeHello,
  type NodeReport,
} from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { timestampToWire } from "../../model/wire/timestamp.ts";

/** Nodes that are remembered, connected or not; the longest gone are forgotten first. */
export const nodesMax = 20_000;

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
  /** By id; those that are gone in the order in which they went. */
  readonly #nodes = new Map<string, NodeEntry>();

  /**
   * A node's session begins. Another session of the same id is superseded. Undefined where {@link nodesMax} others are
   * connected already.
   */
  connect(hello: NodeHello, nowMs: number): symbol | undefined {
    if (!this.#nodes.has(hello.nodeId) && !this.#makeRoom()) return undefined;
    const session = Symbol(hello.nodeId);
    this.#nodes.set(hello.nodeId, { hello, session, report: undefined, connected: true, lastReportMs: nowMs });
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
    if (entry?.session !== session) return;
    entry.connected = false;
    this.#nodes.delete(nodeId);
    this.#nodes.set(nodeId, entry);
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
    for (const { report } of connected) {
      const failing = (report?.serverHealth ?? []).filter((health) => health.failing).map((health) => health.server);
      for (const server of new Set(failing)) counts.set(server, (counts.get(server) ?? 0) + 1);
    }
    return new Set([...counts].filter(([, count]) => count === connected.length).map(([server]) => server));
  }

  #makeRoom(): boolean {
    if (this.#nodes.size < nodesMax) return true;
    for (const [id, entry] of this.#nodes) if (!entry.connected) return this.#nodes.delete(id);
    return false;
  }
}

function nodeMessage({ hello, report, connected, lastReportMs }: NodeEntry, log: LogView): Node {
  // As the node said it: what goes back onto the wire must not have passed through a number, which would round it.
  const revision = report?.revision ?? 0n;
  const behind = BigInt(log.revision) - revision;
  return {
    name: `nodes/${hello.nodeId}`,
    region: hello.region,
    labels: hello.labels,
    bootId: hello.bootId,
    softwareVersion: hello.softwareVersion,
    engine: hello.engine,
    revision,
    digest: report?.digest ?? new Uint8Array(0),
    digestMatch: report === undefined ? DigestMatch.DIGEST_MATCH_UNSPECIFIED : digestMatch(report, log),
    lag: behind > 0n ? behind : 0n,
    connections: report?.connections ?? 0n,
    degraded: report?.degraded ?? [],
    connected,
    lastReportTime: timestampToWire(lastReportMs),
    serverHealth: report?.serverHealth ?? [],
    epoch: report?.epoch ?? 0n,
    feed: report?.feed ?? FeedState.FEED_STATE_UNSPECIFIED,
    draining: report?.draining ?? false,
    ready: report?.ready ?? false,
    replica: "",
    traffic: undefined,
  };
}

function digestMatch(report: NodeReport, log: LogView): DigestMatch {
  const expected = log.digestAt(Number(report.revision));
  if (expected === undefined) return DigestMatch.DIGEST_MATCH_UNKNOWN;
  return sameBytes(expected, report.digest) ? DigestMatch.DIGEST_MATCH_EQUAL : DigestMatch.DIGEST_MATCH_DIFFERENT;
}
