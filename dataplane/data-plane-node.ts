import type { Position } from "../model/commit.ts";
import type { Change, Configuration } from "../model/configuration.ts";
import { farmOf } from "../model/resource-name.ts";
import type { Announcement } from "../model/resource.ts";
import { Bindings } from "./bindings.ts";
import type { DiskFault } from "./cache/disk-fault.ts";
import { Routing } from "./choose/routing.ts";
import { closeConnections, serversToClose } from "./closing-connections.ts";
import { ConnectionRouter } from "./connection-router.ts";
import type { Engine } from "./engine/engine.ts";
import type { CommitFeed } from "./feed/commit-feed.ts";
import { Follower, type FollowerState } from "./feed/follower.ts";
import { inSlices } from "./feed/in-slices.ts";
import type { HealthTransition, ServerHealthBoard } from "./health/server-health.ts";
import type { DataPlaneNodeOptions } from "./node-options.ts";
import { ServerSide } from "./server-side.ts";
import type { SessionAffinity } from "./session-affinity.ts";
import type { LearntExchange } from "./sharing/learnt-exchange.ts";
import { explainDecision } from "./telemetry/explain-decision.ts";
import { extractTable } from "./telemetry/extract-table.ts";
import type { NodeState } from "./telemetry/node-report.ts";
import type { Explanation, NodeSession, SessionHost } from "./telemetry/node-session.ts";
import { Traffic } from "./telemetry/traffic.ts";

/** One data-plane node: it follows the log, routes by it, and reports. It has no state that it can't lose. */
export class DataPlaneNode {
  readonly traffic = new Traffic();
  readonly #options: DataPlaneNodeOptions;
  readonly #routing: Routing;
  readonly #servers: ServerSide;
  readonly #router: ConnectionRouter;
  readonly #exchange: LearntExchange | undefined;
  readonly #engine: Engine;
  readonly #bindings: Bindings;
  readonly #follower: Follower;
  readonly #session: NodeSession | undefined;
  readonly #stop = new AbortController();
  /** Ends the feed's present run, so that it asks for the position anew. */
  #run = new AbortController();
  #running: Promise<unknown> = Promise.resolve();
  /** The other nodes were asked what they know of the servers of the configuration. */
  #asked = false;
  /** The revision that decisions are made with. */
  #routedRevision = 0;

  constructor(options: DataPlaneNodeOptions) {
    this.#options = options;
    const changed = (): void => {
      this.#session?.reportSoon();
      options.onState();
    };
    this.#routing = new Routing(options.hashSeed);
    this.#follower = new Follower(options.identity, (...to) => this.#apply(...to), changed, options.cache);
    this.#servers = this.#newServerSide();
    this.#router = this.#newRouter();
    this.#engine = options.createEngine(this.#router);
    this.#exchange = options.exchange?.(this.#servers.affinity);
    this.#bindings = new Bindings(this.#engine, changed);
    this.#session = options.session?.(this.#host());
    options.cache?.watch(changed);
  }

  /**
   * Serves what the cache has, and then begins to follow and to report. Resolves when the first is done, before anything is
   * heard of the log; at once where there is no cache.
   */
  start(): Promise<void> {
    const loaded = this.#options.cache?.loaded;
    const resumed = loaded === undefined ? Promise.resolve() : this.#follower.resume(loaded);
    this.#running = resumed.then(() => this.#live(loaded)).catch(this.#options.onFault);
    return resumed;
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

  get health(): ServerHealthBoard {
    return this.#servers.health;
  }

  /** Live connections by server. */
  serverConnections(): ReturnType<ServerSide["connections"]> {
    return this.#servers.connections();
  }

  /** What was found of the TLS sessions of each farm that follows them. */
  affinityReports(): ReturnType<SessionAffinity["reports"]> {
    return this.#servers.affinity.reports();
  }

  /** Connections that wait for a server with room. */
  get waiting(): number {
    return this.#router.waiting.count;
  }

  /** Names in all rule tables, and the bytes of their indexes. */
  get tableSize(): ReturnType<Routing["size"]> {
    return this.#routing.size();
  }

  get draining(): boolean {
    return this.#bindings.draining;
  }

  /** What it would start with from its state directory; 0 for nothing. */
  get keptRevision(): number {
    return this.#options.cache?.kept.position.revision ?? 0;
  }

  /** Why the state directory can't be used; undefined where it can, or is not wanted. */
  get diskFault(): DiskFault | undefined {
    return this.#options.cacheFault ?? this.#options.cache?.fault;
  }

  /** Whether it has a configuration, every listener of it is bound, and new connections are wanted. */
  get ready(): boolean {
    return this.#follower.status.loaded && this.#bindings.unbound().length === 0 && !this.draining;
  }

  /** Listeners close at once; live connections have `graceMs` to end. Resolves when nothing is left. */
  async close(graceMs: number): Promise<void> {
    this.#bindings.close();
    this.#stop.abort();
    this.#run.abort();
    await Promise.all([this.#servers.close(), this.#engine.close(graceMs), this.#running]);
    this.#router.waiting.close();
    await this.#options.cache?.close();
  }

  /** Folds the log anew, beside what is served, and changes over to it at its head. */
  resync(): void {
    this.#follower.resync();
    this.#run.abort();
  }

  /** Takes no new connections; live ones go on. */
  async drain(): Promise<void> {
    await this.#bindings.drain();
    this.#options.onState();
  }

  async undrain(): Promise<void> {
    await this.#bindings.undrain();
    this.#options.onState();
  }

  #newServerSide(): ServerSide {
    const { monotonicMs: nowMs, random, resolve, prober, identity, instance } = this.#options;
    return new ServerSide({
      routing: this.#routing,
      resolve,
      prober,
      region: identity.region,
      instance,
      sourceTransparent: () => this.#engine.sourceTransparent,
      nowMs,
      random,
      publish: (learnt) => this.#exchange?.publish(learnt),
      onTransition: (transition) => {
        this.#options.onHealth(transition);
        // The board is amid a change: whatever asks it comes after.
        queueMicrotask(() => this.#healthChanged(transition));
      },
      onUnresolved: this.#options.onUnresolved,
      onAddresses: () => this.#router.waiting.roomAnywhere(),
    });
  }

  #newRouter(): ConnectionRouter {
    const { monotonicMs: nowMs, onClosed, onFault } = this.#options;
    return new ConnectionRouter({
      routing: this.#routing,
      servers: this.#servers,
      traffic: this.traffic,
      revision: () => this.#routedRevision,
      nowMs,
      answer: (id, verdict) => this.#engine.answer(id, verdict),
      onClosed,
      onFault,
    });
  }

  /** Reports soon; ends the connections of a server that checks marked down, where its farm says so; and fills new room. */
  #healthChanged({ server, to }: HealthTransition): void {
    this.#session?.reportSoon();
    this.#router.waiting.roomAnywhere();
    if (to !== "down" || this.#routing.farm(farmOf(server))?.farm.onMarkedDown !== "close") return;
    closeConnections(this.#engine, new Set([server]), "server_down");
  }

  #host(): SessionHost {
    return {
      state: () => this.#nodeState(),
      traffic: this.traffic.pending,
      drain: () => this.drain(),
      undrain: () => this.undrain(),
      resync: () => this.resync(),
      setLogLevel: (level) => this.#options.setLogLevel?.(level),
      table: (listener, prefix, entriesMax) =>
        inSlices(extractTable(() => this.#follower.serving, listener, prefix, entriesMax)),
      explain: (listener, announcement) => this.#explain(listener, announcement),
    };
  }

  #nodeState(): NodeState {
    const { cache, monotonicMs, wallMs } = this.#options;
    const { diskFault, draining, ready } = this;
    return {
      follower: this.#follower.status,
      kept: diskFault === undefined ? cache?.kept : undefined,
      diskFault,
      unbound: this.#bindings.unbound(),
      notTransparent: this.#engine.sourceTransparent ? [] : [...this.#servers.transparentFarms],
      health: this.#servers.health.states(monotonicMs()),
      serverConnections: this.#servers.connections(),
      affinity: this.affinityReports(),
      connections: this.#engine.stats().connections,
      draining,
      ready,
      monotonicMs: monotonicMs(),
      wallMs: wallMs(),
    };
  }

  #explain(listener: string, announcement: Announcement): Explanation | string {
    const wanted = listener === "" ? this.#onlyListener() : listener;
    if (wanted === undefined) return "this node has no listener, or several: name one";
    const at = { conditions: this.#servers.dispatch.conditions(), region: this.#options.identity.region };
    return explainDecision({ routing: this.#routing, revision: this.#routedRevision, ...at }, wanted, announcement);
  }

  #onlyListener(): string | undefined {
    const { listeners } = this.#follower.serving;
    return listeners.size === 1 ? listeners.keys().next().value : undefined;
  }

  /** Follows, reports, and makes sure of what it started with, until it is closed. */
  async #live(loaded: Configuration | undefined): Promise<void> {
    const { signal } = this.#stop;
    if (signal.aborted) return;
    await Promise.all([
      this.#follow(this.#options.feed, signal),
      this.#session?.hold(signal),
      this.#exchange?.hold(signal),
      this.#prove(loaded),
    ]);
  }

  /** Follows the log, anew from where the node then stands each time that a run was ended. */
  async #follow(feed: CommitFeed, stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      await feed.follow(this.#follower, this.#run.signal);
      if (!stop.aborted) this.#run = new AbortController();
    }
  }

  /** What was kept is served on the word of its checksum; whether it reads, and has its digest, is seen afterwards. */
  async #prove(loaded: Configuration | undefined): Promise<void> {
    if (loaded === undefined) return;
    try {
      if (await inSlices(loaded.proving())) return;
      this.#options.onFault(
        new Error("the kept configuration has another digest than it says: the log is asked for it"),
      );
    } catch (cause) {
      this.#options.onFault(new Error("the kept configuration can't be read: the log is asked for it", { cause }));
    }
    this.resync();
  }

  /** The tables change first, all of them together; binding addresses follows. */
  async #apply(changes: readonly Change[], { revision }: Position): Promise<void> {
    const closing = serversToClose(changes, (farm) => this.#routing.farm(farm)?.farm);
    await inSlices(this.#routing.applying(changes));
    this.#routedRevision = revision;
    closeConnections(this.#engine, closing, "server_removed");
    this.#servers.apply(changes);
    for (const { before, after } of changes) if (before !== null && after === null) this.traffic.forget(before.name);
    this.#router.waiting.roomAnywhere();
    this.#askOthers(changes);
    await this.#bindings.apply(changes, revision);
  }

  /** What they said before the node had servers was of none of its own. */
  #askOthers(changes: readonly Change[]): void {
    if (this.#asked || !changes.some(({ after }) => after?.kind === "server")) return;
    this.#asked = true;
    this.#exchange?.ask();
  }
}
