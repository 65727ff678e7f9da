/** A proxy that the bench measures. Adapters: HAProxy, nginx, Switchyard's engines, and no proxy at all. */
export interface Target {
  /** Short and stable: it names the target in the results. */
  readonly name: string;
  /** Its version; or why it can't be measured here, and what to install. */
  availability(): Promise<Availability>;
  /**
   * Starts a fresh process. Resolves when it accepts connections. The caller owns it, and stops it.
   * Rejects where it does not come up, with what it said.
   */
  start(setup: TargetSetup): Promise<RunningTarget>;
  /**
   * Starts one as a node starts that has `routes` routes more in its cache; resolves when it decides with all of them.
   * Absent where the target has no such thing.
   */
  readonly startWithRoutes?: (setup: TargetSetup, routes: number) => Promise<TargetWithRoutes>;
  /** The same with everything that a whole node has; for what is measured of large configurations. */
  readonly asNode?: Target;
}

export interface TargetWithRoutes {
  readonly running: RunningTarget;
  /** From the start of the process. */
  readonly readyMs: number;
  /** Resolves when it has shown that the digest of what it routes by is right; with the time from the process's start. */
  readonly proven: () => Promise<number>;
  readonly routes: number;
  /** Of the rule table; for all names. */
  readonly tableBytes: number;
}

export type Availability =
  | { readonly available: true; readonly version: string }
  | { readonly available: false; readonly why: string };

export interface TargetSetup {
  /** Ports of the servers on 127.0.0.1: one farm of them, round robin, with affinity where the proxy has it. */
  readonly serverPorts: readonly number[];
  /** The names that are routed to the farm; any other is refused. */
  readonly names: readonly string[];
  readonly cores: readonly number[];
  /** Threads that move bytes. */
  readonly threads: number;
  /** A directory of its own, which the caller removes after the stop. */
  readonly directory: string;
}

export interface RunningTarget {
  /** Ports on 127.0.0.1; one, except where there is no proxy and these are the servers' own. */
  readonly ports: readonly number[];
  /** The process to account for; undefined where there is none. */
  readonly pid: number | undefined;
  /**
   * Makes so many commits ready, of so many routes each. Takes seconds of this process, and is done before any load.
   * Absent where the target has no such thing.
   */
  readonly prepareRoutes?: (count: number, times: number) => Promise<void>;
  /** Puts in force the next of the commits that were made ready, while connections go on. Resolves when it is applied. */
  readonly applyRoutes?: () => Promise<AppliedRoutes>;
  stop(): Promise<void>;
}

export interface AppliedRoutes {
  /** From the request to the first decision that could be made with it. */
  readonly appliedMs: number;
  /** The longest that the event loop did not turn meanwhile; decisions waited for so long. */
  readonly turnMaxMs: number;
  readonly routes: number;
  /** Of the rule table; for all names. */
  readonly tableBytes: number;
}

/** What 20,000 descriptors leave for proxied connections, two each; every configuration names the same limit. */
export const connectionsMax = 9400;

/** Longer than any measure holds a connection. */
export const holdSeconds = 120;
