import type { NodeIdentity } from "../model/node-identity.ts";
import type { DiskFault } from "./cache/disk-fault.ts";
import type { LastKnownGood } from "./cache/last-known-good.ts";
import type { ClosedConnection, ConnectionHandler, Engine } from "./engine/engine.ts";
import type { CommitFeed } from "./feed/commit-feed.ts";
import type { Prober } from "./health/probes/prober.ts";
import type { HealthTransition } from "./health/server-health.ts";
import type { Resolve } from "./resolve/resolve.ts";
import type { RoutedConnection } from "./routed-connection.ts";
import type { LearntExchange, LearntHost } from "./sharing/learnt-exchange.ts";
import type { LogLevel, NodeSession, SessionHost } from "./telemetry/node-session.ts";

/** All that a node is made of, and whom it tells. */
export interface DataPlaneNodeOptions {
  readonly createEngine: (handler: ConnectionHandler) => Engine;
  readonly feed: CommitFeed;
  /** What the node keeps on disk; undefined for a node that keeps nothing. The node closes it. */
  readonly cache?: LastKnownGood | undefined;
  /** Why there is no cache where there should be one. */
  readonly cacheFault?: DiskFault | undefined;
  /** Made with the node's own state and doings; undefined for a node that reports to nobody. */
  readonly session: ((host: SessionHost) => NodeSession) | undefined;
  /** The way to the other nodes of the region; undefined for a node that has none. */
  readonly exchange?: ((host: LearntHost) => LearntExchange) | undefined;
  /** Who the node is: what is released to it, and which servers are near. */
  readonly identity: NodeIdentity;
  /** Begins the unique ids of this process's connections. */
  readonly instance: string;
  readonly resolve: Resolve;
  /** Makes the checks of servers; they are made in the node's own thread where there is none. The node closes it. */
  readonly prober?: Prober | undefined;
  /** 32 random bits of the process. */
  readonly hashSeed: number;
  /** From 0 to below 1, as Math.random. */
  readonly random: () => number;
  /** Milliseconds of a monotonic clock, and since 1970. */
  readonly monotonicMs: () => number;
  readonly wallMs: () => number;
  readonly onClosed: (closed: ClosedConnection, routed: RoutedConnection | undefined) => void;
  readonly onFault: (error: Error) => void;
  /** A server's health became another: for the log. */
  readonly onHealth: (transition: HealthTransition) => void;
  /** A name of a server can't be resolved: for the log. */
  readonly onUnresolved: (host: string, why: string) => void;
  /** The feed's, the bindings' or the cache's state is another: for the log. */
  readonly onState: () => void;
  readonly setLogLevel?: (level: LogLevel) => void;
}
