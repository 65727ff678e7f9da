import type { CorePlan } from "./core-plan.ts";
import type { Sink } from "./load-programs.ts";
import type { RunningTarget } from "./target.ts";

/** One thing that is measured, the same way for every target. */
export interface Measure {
  readonly name: MeasureName;
  /** Whether each run has a process of its own: memory that an earlier run left behind must not count. */
  readonly freshProcess: boolean;
  /** Whether it says anything without a proxy. */
  readonly includesDirect: boolean;
  /** Once for each process before the rounds: caches, pools and compiled code are then as they are in service. */
  warmUp(run: Run): Promise<void>;
  /** One round. Rejects where anything went wrong: then the round has no figures. */
  take(run: Run): Promise<Figures>;
}

export type MeasureName = "rate" | "bulk" | "rtt" | "idle" | "half-hello" | "commit" | "scaling" | "tls" | "million";

/** Numbers by name; the unit is in the name. */
export type Figures = Readonly<Record<string, number>>;

export interface Run {
  readonly target: RunningTarget;
  readonly sink: Sink;
  readonly cores: CorePlan;
  readonly sizes: Sizes;
}

/** How much is asked of the machine; `quick` and `full` differ in nothing else. */
export interface Sizes {
  readonly rounds: number;
  readonly rateSeconds: number;
  readonly bulkSeconds: number;
  readonly rttSeconds: number;
  readonly idleConnections: number;
  readonly halfHelloConnections: number;
  readonly countedConnections: number;
  readonly commitSeconds: number;
  readonly handshakes: number;
  /** Of the measures of Switchyard alone, which take seconds each and are ratios within a round. */
  readonly ownRounds: number;
}

/** Connections at a time, streams: as the goals have them. */
export const rateConcurrency = 64;
export const bulkStreams = 16;
export const rttStreams = 16;

export const quickSizes: Sizes = {
  rounds: 5,
  rateSeconds: 0.5,
  bulkSeconds: 0.5,
  rttSeconds: 0.5,
  idleConnections: 2000,
  halfHelloConnections: 2000,
  countedConnections: 2000,
  commitSeconds: 2,
  handshakes: 50,
  ownRounds: 3,
};

export const fullSizes: Sizes = {
  rounds: 9,
  rateSeconds: 3,
  bulkSeconds: 3,
  rttSeconds: 3,
  // Twice as many descriptors in the proxy, of 20,000.
  idleConnections: 9000,
  halfHelloConnections: 9000,
  countedConnections: 10_000,
  commitSeconds: 8,
  handshakes: 500,
  ownRounds: 5,
};
