import { timestampToWire } from "../../model/wire/timestamp.ts";
import {
  type DegradedObject,
  FeedState as WireFeedState,
  type NodeReport,
  type ServerHealth,
} from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import type { UnboundAddress } from "../bindings.ts";
import type { FollowerState } from "../feed/follower.ts";
import type { PassiveHealth } from "../health/passive-health.ts";

/** Entries that one report carries at most; the control plane would cut the session above its own limits. */
const degradedMax = 1000;
const serverHealthMax = 10_000;

const feedStates = {
  following: WireFeedState.FEED_STATE_FOLLOWING,
  silent: WireFeedState.FEED_STATE_SILENT,
  disconnected: WireFeedState.FEED_STATE_DISCONNECTED,
} as const satisfies Record<FollowerState["feed"], WireFeedState>;

export interface ReportParts {
  readonly follower: FollowerState;
  readonly unbound: readonly UnboundAddress[];
  readonly health: PassiveHealth;
  readonly connections: number;
  readonly draining: boolean;
  readonly ready: boolean;
  /** The monotonic clock that `health` uses, and what it shows now as milliseconds since 1970. */
  readonly monotonicMs: number;
  readonly wallMs: number;
}

/** The node's whole present state. */
export function nodeReport(parts: ReportParts): NodeReport {
  const { follower, unbound, connections } = parts;
  const revision = BigInt(follower.position.revision);
  const degraded: DegradedObject[] = unbound.map(({ listener, address, reason, detail }) => ({
    name: listener,
    reason,
    detail: `${address}: ${detail}`,
    revision,
  }));
  if (follower.stalled !== undefined)
    degraded.unshift({ name: "log", reason: follower.stalled.reason, detail: follower.stalled.detail, revision });
  return {
    epoch: BigInt(follower.position.epoch),
    revision,
    digest: follower.digest,
    feed: feedStates[follower.feed],
    draining: parts.draining,
    ready: parts.ready,
    connections: BigInt(connections),
    degraded: degraded.slice(0, degradedMax),
    serverHealth: serverHealth(parts).slice(0, serverHealthMax),
  };
}

function serverHealth({ health, monotonicMs, wallMs }: ReportParts): ServerHealth[] {
  return Array.from(health.failing(monotonicMs), ([server, { reason, sinceMs }]) => ({
    server,
    failing: true,
    reason,
    since: timestampToWire(wallMs - (monotonicMs - sinceMs)),
  }));
}
