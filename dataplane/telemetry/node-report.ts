import { timestampToWire } from "../../model/wire/timestamp.ts";
import {
  type DegradedObject,
  FeedState as WireFeedState,
  type NodeReport,
  type ServerHealth,
} from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import type { Position } from "../../model/commit.ts";
import type { UnboundAddress } from "../bindings.ts";
import type { DiskFault } from "../cache/disk-fault.ts";
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

/** All that a report tells of a node. */
export interface NodeState {
  readonly follower: FollowerState;
  /** What the node would come up with; undefined where it keeps nothing, or can't: then it tells what it serves. */
  readonly kept: { readonly position: Position; readonly digest: Uint8Array } | undefined;
  /** Why the state directory can't be used. */
  readonly diskFault: DiskFault | undefined;
  readonly unbound: readonly UnboundAddress[];
  readonly health: PassiveHealth;
  readonly connections: number;
  readonly draining: boolean;
  readonly ready: boolean;
  /** The monotonic clock that `health` uses, and what it shows now as milliseconds since 1970. */
  readonly monotonicMs: number;
  readonly wallMs: number;
}

/**
 * The node's whole present state. A revision is reported once it is kept, so that a node which says that it has it
 * still has it after its next start.
 */
export function nodeReport(parts: NodeState): NodeReport {
  const { follower, unbound, connections, diskFault } = parts;
  const { position, digest } = parts.kept ?? follower;
  const revision = BigInt(follower.position.revision);
  const degraded: DegradedObject[] = unbound.map((each) => ({
    name: each.listener,
    reason: each.reason,
    detail: `${each.address}: ${each.detail}`,
    revision: BigInt(each.revision),
  }));
  if (diskFault !== undefined) degraded.unshift({ name: "state_dir", ...diskFault, revision });
  if (follower.stalled !== undefined)
    degraded.unshift({ name: "log", reason: follower.stalled.reason, detail: follower.stalled.detail, revision });
  return {
    epoch: BigInt(position.epoch),
    revision: BigInt(position.revision),
    digest,
    feed: feedStates[follower.feed],
    draining: parts.draining,
    ready: parts.ready,
    connections: BigInt(connections),
    degraded: degraded.slice(0, degradedMax),
    serverHealth: serverHealth(parts).slice(0, serverHealthMax),
  };
}

function serverHealth({ health, monotonicMs, wallMs }: NodeState): ServerHealth[] {
  return Array.from(health.failing(monotonicMs), ([server, { reason, sinceMs }]) => ({
    server,
    failing: true,
    reason,
    since: timestampToWire(wallMs - (monotonicMs - sinceMs)),
  }));
}
