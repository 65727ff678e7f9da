import type { CommitFeed } from "../../dataplane/feed/commit-feed.ts";
import { Follower } from "../../dataplane/feed/follower.ts";
import type { NodeState } from "../../dataplane/telemetry/node-report.ts";
import type { SessionHost } from "../../dataplane/telemetry/node-session.ts";
import { PendingTraffic } from "../../dataplane/telemetry/pending-traffic.ts";
import type { NodeIdentity } from "../../model/node-identity.ts";
import type { NodeHello } from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { quietState } from "../support/node-state.ts";
import type { SimulatedSession } from "./simulated-session.ts";
import { appRoute, appServer, isDeadly, isFatal, shareFailing } from "./simulated-world.ts";

export interface SimulatedNodeOptions {
  readonly identity: NodeIdentity;
  /** Of each new process. */
  readonly feed: () => CommitFeed;
  readonly session: (hello: NodeHello, host: SessionHost) => SimulatedSession;
  /** From 0 to 1. */
  readonly random: () => number;
}

/** What was seen of connections, over all lives of the node. */
export interface ConnectionTally {
  connections: number;
  failed: number;
}

/**
 * A node without an engine: it follows the log and reports as a node does. Its connections are numbers, which fare as the world
 * says of what it serves. It dies, and lives again as a new process.
 */
export class SimulatedNode {
  readonly identity: NodeIdentity;
  /** Every revision that it served, in order, through all its lives; each time that it took one. */
  readonly served: number[] = [];
  /** By the revision that was served. */
  readonly tally = new Map<number, ConnectionTally>();
  deaths = 0;
  /** Nobody starts it again. */
  isGone = false;
  readonly #options: SimulatedNodeOptions;
  #life: NodeLife | undefined;
  #ending: Promise<unknown> = Promise.resolve();

  constructor(options: SimulatedNodeOptions) {
    this.#options = options;
    this.identity = options.identity;
  }

  /** What runs now; undefined between two lives. */
  get life(): NodeLife | undefined {
    return this.#life;
  }

  /** A new process. */
  start(): void {
    const life: NodeLife = new NodeLife(this.#options, `boot-${this.deaths + 1}`, (revision) => {
      this.served.push(revision);
      this.isGone ||= isFatal(life.follower.serving);
      if (isDeadly(life.follower.serving)) this.die();
    });
    this.#life = life;
  }

  /** kill -9. */
  die(): void {
    if (this.#life === undefined) return;
    this.deaths += 1;
    const life = this.#life;
    this.#life = undefined;
    this.#ending = Promise.all([this.#ending, life.end()]);
  }

  /** So many clients come. */
  connect(count: number): void {
    const life = this.#life;
    if (life === undefined || !life.follower.status.loaded) return;
    const { revision } = life.follower.status.position;
    const tally = this.tally.get(revision) ?? { connections: 0, failed: 0 };
    this.tally.set(revision, tally);
    const failing = shareFailing(life.follower.serving);
    for (let made = 0; made < count; made += 1) {
      const fails = this.#options.random() < failing;
      tally.connections += 1;
      if (fails) tally.failed += 1;
      life.connected(!fails);
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#ending, this.#life?.end()]);
  }
}

/** One process of a node, from its start to its end. */
export class NodeLife {
  readonly bootId: string;
  readonly follower: Follower;
  readonly session: SimulatedSession;
  readonly #traffic = new PendingTraffic();
  readonly #stop = new AbortController();
  readonly #followed: Promise<void>;

  /** `applied` hears of each revision that is served from now on. */
  constructor(options: SimulatedNodeOptions, bootId: string, applied: (revision: number) => void) {
    const { identity, feed, session } = options;
    this.bootId = bootId;
    this.follower = new Follower(
      identity,
      (_changes, { revision }) => {
        if (!this.#stop.signal.aborted) applied(revision);
        return Promise.resolve();
      },
      () => this.session.reportSoon(),
    );
    this.session = session(this.#hello(identity), this.#host());
    this.#followed = feed().follow(this.follower, this.#stop.signal);
  }

  /** Whether all that was counted has left for the control plane. */
  get told(): boolean {
    return this.#traffic.empty;
  }

  connected(reached: boolean): void {
    const bytes = { bytesFromClient: 500, bytesFromServer: reached ? 5000 : 0, resumption: null };
    if (reached) this.#traffic.closed(appRoute, appServer, { ...bytes, reason: "done", answer: "server_hello" });
    else this.#traffic.closed(appRoute, null, { ...bytes, reason: "connect_failed", answer: undefined });
  }

  async end(): Promise<void> {
    this.#stop.abort();
    await Promise.all([this.session.close(), this.#followed]);
  }

  #hello({ id, region, labels }: NodeIdentity): NodeHello {
    return {
      nodeId: id,
      region,
      labels,
      bootId: this.bootId,
      softwareVersion: "simulated",
      engine: "none",
      lastKnownGoodRevision: 0n,
      lastKnownGoodDigest: new Uint8Array(0),
    };
  }

  #host(): SessionHost {
    const nothing = (): Promise<void> => Promise.resolve();
    return {
      state: () => this.#state(),
      traffic: this.#traffic,
      drain: nothing,
      undrain: nothing,
      resync: () => undefined,
      setLogLevel: () => undefined,
      table: () => Promise.resolve({ position: this.follower.status.position, entries: [], truncated: false }),
      explain: () => "a simulated node explains nothing",
    };
  }

  #state(): NodeState {
    const { status } = this.follower;
    return quietState(status, { ready: status.loaded, monotonicMs: performance.now(), wallMs: Date.now() });
  }
}
