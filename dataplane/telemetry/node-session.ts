import type { Position } from "../../model/commit.ts";
import type { Announcement } from "../../model/resource.ts";
import type { PendingTraffic } from "./pending-traffic.ts";
import type { NodeState } from "./node-report.ts";

/** A node's way to tell of itself, and to be told. */
export interface NodeSession {
  /** Holds the session, again and again, until the signal aborts. Nothing else of the node waits for it. */
  hold(signal: AbortSignal): Promise<void>;
  /** Something changed that is worth telling now. */
  reportSoon(): void;
}

/** What a session asks of its node. */
export interface SessionHost {
  /** As it is at the time of the call. */
  state(): NodeState;
  readonly traffic: PendingTraffic;
  /** Takes no new connections from then on; live ones go on. */
  drain(): Promise<void>;
  undrain(): Promise<void>;
  /** Begins to fold the log anew, beside what is served. */
  resync(): void;
  /** One of pino's levels. */
  setLogLevel(level: LogLevel): void;
  /** Entries of the rule tables; `listener` is empty for all of them. */
  table(listener: string, prefix: string, entriesMax: number): Promise<TableExtract>;
  /** What would be decided now. `listener` may be empty where there is one. A sentence says why it can't be told. */
  explain(listener: string, announcement: Announcement): Explanation | string;
}

export const logLevels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export type LogLevel = (typeof logLevels)[number];

/** A part of a node's rule tables. */
export interface TableExtract {
  readonly position: Position;
  readonly entries: readonly TableExtractEntry[];
  /** There was more. */
  readonly truncated: boolean;
}

export interface TableExtractEntry {
  readonly listener: string;
  /** As in the route's match; empty for hellos without a name. */
  readonly serverName: string;
  readonly route: string;
}

/** What a node would do with a hello, and why. */
export interface Explanation {
  readonly revision: number;
  readonly listener: string;
  /** Null where the listener's default is taken. */
  readonly route: string | null;
  readonly outcome: "farm" | "server" | "reject";
  readonly farm: string | null;
  readonly servers: readonly ExplainedServer[];
  readonly alert: string | null;
  /** One sentence a step. */
  readonly steps: readonly string[];
}

export interface ExplainedServer {
  readonly server: string;
  readonly address: string;
  readonly eligible: boolean;
  /** `ready`, `drain`, `maintenance`, `backup`, `weight_zero`, `failing`, `full`, `other_region`, `unresolved`. */
  readonly reason: string;
  /** Share of the farm's new connections, 0 to 1. */
  readonly share: number;
}
