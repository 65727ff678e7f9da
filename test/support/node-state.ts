import type { FollowerState } from "../../dataplane/feed/follower.ts";
import type { NodeState } from "../../dataplane/telemetry/node-report.ts";

/** A node that serves a revision, and of which nothing else is to be said. */
export function quietState(follower: FollowerState, more: Partial<NodeState> = {}): NodeState {
  return {
    follower,
    kept: undefined,
    diskFault: undefined,
    unbound: [],
    notTransparent: [],
    health: [],
    serverConnections: [],
    affinity: [],
    connections: 0,
    draining: false,
    ready: true,
    monotonicMs: 0,
    wallMs: 0,
    ...more,
  };
}

/** A follower that serves a revision of a log that ends there. */
export function followedTo(revision: number, more: Partial<FollowerState> = {}): FollowerState {
  const position = { epoch: 1, revision, hash: new Uint8Array(32) };
  const log = { logPosition: position, releasedRevision: revision };
  return { position, digest: new Uint8Array(32), ...log, loaded: true, feed: "following", stalled: undefined, ...more };
}
