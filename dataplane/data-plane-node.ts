import type { Position } from "../model/commit.ts";
import type { Change } from "../model/configuration.ts";
import { Bindings } from "./bindings.ts";
import { Routing } from "./choose/routing.ts";
import { ConnectionRouter } from "./connection-router.ts";
import type { ClosedConnection, ConnectionHandler, Engine } from "./engine/engine.ts";
import type { CommitFeed } from "./feed/commit-feed.ts";
import { Follower, type FollowerState } from "./feed/follower.ts";
import { inSlices } from "./feed/in-slices.ts";
import { PassiveHealth } from "./health/passive-health.ts";
import type { RoutedConnection } from "./routed-connection.ts";
import type { FleetSession, ReportNow } from "./telemetry/fleet-session.ts";
import { nodeReport } from "./telemetry/node-report.ts";
import { Traffic } from "./telemetry/traffic.ts";

export interface DataPlaneNodeOptions {
  readonly createEngine: (handler: ConnectionHandler) => Engine;
  readonly feed: CommitFeed;
  /** Made with the node's own way to report; undefined for a node that reports to nobody. */
  readonly session: ((report: ReportNow) => FleetSession) | undefined;
  /** 32 random bits of the process. */
  readonly hashSeed: number;
  /** Milliseconds of a monotonic clock, and since 1970. */
  readonly monotonicMs: () => number;
  readonly wallMs: () => number;
  readonly onClosed: (closed: ClosedConnection, routed: RoutedConnection | undefined) => void;
  readonly onFault: (error: Error) => void;
  /** The feed's or the bindings' state is another: for the log. */
  readonly onState: () => void;
}

/** One data-plane node: it follows the log, routes by it, and reports. It has no state that it can't lose. */
export class DataPlaneNode {
  readonly traffic = new Traffic();
  readonly #options: DataPlaneNodeOptions;
  readonly #routing: Routing;
  readonly #health = new PassiveHealth();
  readonly #engine: Engine;
  readonly #bindings: Bindings;
  readonly #follower: Follower;
  readonly #session: FleetSession | undefined;
  readonly #stop = new AbortController();
  #running: Promise<unknown> = Promise.resolve();
  /** The revision that decisions are made with. */
  #routedRevision = 0;

  constructor(options: DataPlaneNodeOptions) {
    this.#options = options;
    const changed = (): void => {
      this.#session?.reportSoon();
      options.onState();
    };
    this.#routing = new Routing(options.hashSeed);
    this.#follower = new Follower((changes, position) => this.#apply(changes, position), changed);
    const router = new ConnectionRouter({
      routing: this.#routing,
      health: this.#health,
      traffic: this.traffic,
      revision: () => this.#routedRevision,
      nowMs: options.monotonicMs,
      onClosed: options.onClosed,
      onFault: options.onFault,
    });
    this.#engine = options.createEngine(router);
    this.#bindings = new Bindings(this.#engine, changed);
    this.#session = options.session?.(() => this.#report());
  }

  /** Begins to follow and to report. */
  start(): void {
    const { signal } = this.#stop;
    this.#running = Promise.all([this.#options.feed.follow(this.#follower, signal), this.#session?.hold(signal)]);
  }

  get engine(): Engine {
    return this.#engine;
  }

  get state(): FollowerState {
    return this.#follower.status;
  }

  get unbound(): ReturnType<Bindings["unbound"]> {
    return this.#bindings.unbound();
  }

  get health(): PassiveHealth {
    return this.#health;
  }

  /** Names in all rule tables, and the bytes of their indexes. */
  get tableSize(): ReturnType<Routing["size"]> {
    return this.#routing.size();
  }

  /** Whether it has a configuration, and every listener of it is bound. */
  get ready(): boolean {
    return this.#follower.status.loaded && this.#bindings.unbound().length === 0;
  }

  /** Listeners close at once; live connections have `graceMs` to end. Resolves when nothing is left. */
  async close(graceMs: number): Promise<void> {
    this.#bindings.close();
    this.#stop.abort();
    await Promise.all([this.#engine.close(graceMs), this.#running]);
  }

  /** The tables change first, all of them together; binding addresses follows. */
  async #apply(changes: readonly Change[], { revision }: Position): Promise<void> {
    await inSlices(this.#routing.applying(changes));
    this.#routedRevision = revision;
    for (const change of changes) this.#forget(change);
    await this.#bindings.apply(changes);
  }

  /** Drops what was learnt of a resource that has gone, or of a server that is elsewhere now. */
  #forget({ before, after }: Change): void {
    if (before === null) return;
    if (after === null) this.traffic.forget(before.name);
    if (before.kind !== "server") return;
    if (after?.kind !== "server" || after.address !== before.address) this.#health.forget(before.name);
  }

  #report(): ReturnType<ReportNow> {
    return nodeReport({
      follower: this.#follower.status,
      unbound: this.#bindings.unbound(),
      health: this.#health,
      connections: this.#engine.stats().connections,
      draining: false,
      ready: this.ready,
      monotonicMs: this.#options.monotonicMs(),
      wallMs: this.#options.wallMs(),
    });
  }
}
