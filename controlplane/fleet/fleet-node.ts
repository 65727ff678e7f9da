import { sameBytes } from "../../model/commit.ts";
import type { NodeIdentity } from "../../model/node-identity.ts";
import { effectiveRevision, type Releases } from "../../model/releases.ts";
import { timestampToWire } from "../../model/wire/timestamp.ts";
import {
  DigestMatch,
  FeedState,
  type Node,
  type NodeHello,
  type NodeReport,
} from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import type { TrafficTotals } from "./traffic-totals.ts";

/** What the log says, to compare a node's report with. */
export interface LogView {
  readonly epoch: number;
  readonly revision: number;
  /** What is released to whom, as of that revision. */
  readonly releases: Releases;
  digestAt(revision: number): Uint8Array | undefined;
}

/** What is known of one node, through one replica. A new session, or a new process of the node, makes a new one. */
export class FleetNode {
  readonly id: string;
  readonly hello: NodeHello;
  /** The replica that holds, or held, the session. */
  readonly replica: string;
  readonly traffic: TrafficTotals;
  report: NodeReport | undefined;
  connected = true;
  /** Milliseconds since 1970, by the replica's clock. */
  lastReportMs: number;
  /** Position in the view's sequence of changes. */
  changedAt = 0;
  readonly #identity: NodeIdentity;
  #effective: { readonly releases: Releases; readonly revision: number } | undefined;

  constructor(hello: NodeHello, replica: string, traffic: TrafficTotals, nowMs: number) {
    this.id = hello.nodeId;
    this.#identity = { id: hello.nodeId, region: hello.region, labels: hello.labels };
    this.hello = withOwnBytes(hello);
    this.replica = replica;
    this.traffic = traffic;
    this.lastReportMs = nowMs;
  }

  get identity(): NodeIdentity {
    return this.#identity;
  }

  /** The revision that the node should serve. Kept for as long as nothing is released: a percentage costs a hash. */
  effectiveRevision(releases: Releases): number {
    if (this.#effective?.releases !== releases)
      this.#effective = { releases, revision: effectiveRevision(this.#identity, releases) };
    return this.#effective.revision;
  }

  /** Takes the node's state as it is now. */
  take(report: NodeReport, nowMs: number): void {
    const before = this.report?.digest;
    // Decoded bytes are a window on the whole message that was received, which they would keep in memory.
    report.digest = before !== undefined && sameBytes(before, report.digest) ? before : copied(report.digest);
    this.report = report;
    this.lastReportMs = nowMs;
  }
}

function withOwnBytes(hello: NodeHello): NodeHello {
  hello.lastKnownGoodDigest = copied(hello.lastKnownGoodDigest);
  return hello;
}

function copied(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

/** A node that does not say how it hears of commits is older than the word `ready`: it is taken at its deeds. */
export function isReady({ report }: FleetNode): boolean {
  if (report === undefined) return false;
  return report.ready || (report.feed === FeedState.FEED_STATE_UNSPECIFIED && report.degraded.length === 0);
}

/** Commits that are released to the node and that it does not serve; none where it has to go back. */
export function lagOf(node: FleetNode, { releases }: LogView): bigint {
  const behind = BigInt(node.effectiveRevision(releases)) - (node.report?.revision ?? 0n);
  return behind > 0n ? behind : 0n;
}

/**
 * Whether the node serves what is released to it. A later revision with the same digest is that too: commits that only take a
 * rollout further change nothing.
 */
export function isCurrent(node: FleetNode, log: LogView): boolean {
  if (lagOf(node, log) > 0n || digestMatchOf(node, log) !== DigestMatch.DIGEST_MATCH_EQUAL) return false;
  const effective = node.effectiveRevision(log.releases);
  const released = log.digestAt(effective);
  if (Number(node.report?.revision) === effective) return true;
  return released !== undefined && node.report !== undefined && sameBytes(released, node.report.digest);
}

export function digestMatchOf({ report }: FleetNode, log: LogView): DigestMatch {
  if (report === undefined) return DigestMatch.DIGEST_MATCH_UNSPECIFIED;
  const expected = log.digestAt(Number(report.revision));
  if (expected === undefined) return DigestMatch.DIGEST_MATCH_UNKNOWN;
  return sameBytes(expected, report.digest) ? DigestMatch.DIGEST_MATCH_EQUAL : DigestMatch.DIGEST_MATCH_DIFFERENT;
}

export function nodeMessage(node: FleetNode, log: LogView): Node {
  const { hello, report, connected, lastReportMs, replica } = node;
  return {
    name: `nodes/${hello.nodeId}`,
    region: hello.region,
    labels: hello.labels,
    bootId: hello.bootId,
    softwareVersion: hello.softwareVersion,
    engine: hello.engine,
    // As the node said it: what goes back onto the wire must not have passed through a number, which would round it.
    revision: report?.revision ?? 0n,
    digest: report?.digest ?? new Uint8Array(0),
    digestMatch: digestMatchOf(node, log),
    lag: lagOf(node, log),
    connections: report?.connections ?? 0n,
    degraded: report?.degraded ?? [],
    connected,
    lastReportTime: timestampToWire(lastReportMs),
    serverHealth: report?.serverHealth ?? [],
    epoch: report?.epoch ?? 0n,
    feed: report?.feed ?? FeedState.FEED_STATE_UNSPECIFIED,
    draining: report?.draining ?? false,
    ready: report !== undefined && isReady(node),
    replica,
    traffic: node.traffic.all,
    effectiveRevision: BigInt(node.effectiveRevision(log.releases)),
    logRevision: report?.logRevision ?? 0n,
  };
}

/** How much of a message a node takes, in entries of some hundred bytes: lists are divided by it. */
export function nodeLoad({ report }: FleetNode): number {
  return report === undefined ? 1 : 1 + report.degraded.length * 10 + report.serverHealth.length * 2;
}

/** Entries in one message, below 64 MiB even where each is as long as it may be. */
export const messageLoadMax = 20_000;
