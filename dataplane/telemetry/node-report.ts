import { timestampToWire } from "../../model/wire/timestamp.ts";
import {
  type DegradedObject,
  type FarmAffinity,
  FeedState as WireFeedState,
  type NodeReport,
  type ServerConnections,
  type ServerHealth,
  ServerHealthState,
} from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import type { Position } from "../../model/commit.ts";
import type { UnboundAddress } from "../bindings.ts";
import type { DiskFault } from "../cache/disk-fault.ts";
import type { FollowerState } from "../feed/follower.ts";
import type { AffinityReport } from "../affinity/advise.ts";
import type { ServerHealthSeen } from "../health/server-health.ts";

/** Entries that one report carries at most; the control plane would cut the session above its own limits. */
const degradedMax = 1000;
const serverHealthMax = 10_000;
const serverConnectionsMax = 1000;
const farmAffinityMax = 1000;

/** Characters. */
const detailMax = 1024;
const adviceMax = 4096;

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
  /** Farms whose servers should see the client's own address, and do not, as this node can't. */
  readonly notTransparent: readonly string[];
  /** Servers that are not plainly well, or whose certificate was seen. Times are of the monotonic clock. */
  readonly health: Iterable<ServerHealthSeen>;
  /** Live connections, those first that the control plane must know of. */
  readonly serverConnections: Iterable<readonly [server: string, connections: number]>;
  readonly affinity: Iterable<readonly [farm: string, report: AffinityReport]>;
  readonly connections: number;
  readonly draining: boolean;
  readonly ready: boolean;
  /** The monotonic clock, and what it shows now as milliseconds since 1970. */
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
  const detail = "IP_TRANSPARENT needs CAP_NET_ADMIN and the native engine: servers see the node's address";
  for (const name of parts.notTransparent) degraded.push({ name, reason: "source_transparent", detail, revision });
  if (diskFault !== undefined) degraded.unshift({ name: "state_dir", ...diskFault, revision });
  if (follower.stalled !== undefined)
    degraded.unshift({ name: "log", reason: follower.stalled.reason, detail: follower.stalled.detail, revision });
  return {
    epoch: BigInt(position.epoch),
    revision: BigInt(position.revision),
    logRevision: BigInt(follower.logPosition.revision),
    digest,
    feed: feedStates[follower.feed],
    draining: parts.draining,
    ready: parts.ready,
    connections: BigInt(connections),
    degraded: degraded.slice(0, degradedMax),
    serverHealth: serverHealth(parts),
    serverConnections: serverConnections(parts.serverConnections),
    farmAffinity: farmAffinities(parts.affinity),
  };
}

const healthStates = {
  up: ServerHealthState.SERVER_HEALTH_STATE_UP,
  down: ServerHealthState.SERVER_HEALTH_STATE_DOWN,
  ejected: ServerHealthState.SERVER_HEALTH_STATE_EJECTED,
  slow_start: ServerHealthState.SERVER_HEALTH_STATE_SLOW_START,
  unresolved: ServerHealthState.SERVER_HEALTH_STATE_UNRESOLVED,
} as const satisfies Record<ServerHealthSeen["state"], ServerHealthState>;

function serverHealth({ health, monotonicMs, wallMs }: NodeState): ServerHealth[] {
  const all: ServerHealth[] = [];
  for (const { server, state, reason, detail, sinceMs, certificateExpiryMs } of health) {
    if (all.length === serverHealthMax) break;
    all.push({
      server,
      failing: state === "down" || state === "ejected" || state === "unresolved",
      state: healthStates[state],
      reason: reason ?? "",
      detail: detail.slice(0, detailMax),
      since: timestampToWire(wallMs - (monotonicMs - sinceMs)),
      certificateExpiry: certificateExpiryMs === null ? undefined : timestampToWire(certificateExpiryMs),
    });
  }
  return all;
}

function serverConnections(from: NodeState["serverConnections"]): ServerConnections[] {
  const all: ServerConnections[] = [];
  for (const [server, connections] of from) {
    if (all.length === serverConnectionsMax) break;
    all.push({ server, connections: BigInt(connections) });
  }
  return all;
}

function farmAffinities(from: NodeState["affinity"]): FarmAffinity[] {
  const all: FarmAffinity[] = [];
  for (const [farm, report] of from) {
    if (all.length === farmAffinityMax) break;
    all.push(farmAffinity(farm, report));
  }
  return all;
}

function farmAffinity(farm: string, report: AffinityReport): FarmAffinity {
  const { finding, sentence, advice, ticketNames, sessionIds } = report;
  const texts = { sentence: sentence.slice(0, detailMax), advice: advice.slice(0, adviceMax) };
  return { farm, finding, ...texts, ticketNames: BigInt(ticketNames), sessionIds: BigInt(sessionIds) };
}
