import { createHash } from "node:crypto";
import { sameBytes } from "../../model/commit.ts";
import type { RouteName } from "../../model/resource-name.ts";
import { Follower } from "../../dataplane/feed/follower.ts";
import { seededRandom } from "../../test/support/seeded-random.ts";
import { firstEvents, randomEvents } from "./simulated-changes.ts";
import { SimulatedFeed } from "./simulated-feed.ts";
import { SimulatedLog } from "./simulated-log.ts";
import { type NetworkCounts, VirtualNetwork, type Weather } from "./virtual-network.ts";
import { VirtualTime } from "./virtual-time.ts";

export interface SimulationOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly commits: number;
  readonly weather: Weather;
  /** This node is cut off for ever: a run that must not end well. */
  readonly lostNode?: number;
}

export interface SimulationResult {
  /** At the head of the log, and vouched for. */
  readonly current: number;
  /** Of these, those with the digest of the log. */
  readonly digestsEqual: number;
  /** Virtual time from the last commit until all were current; undefined where they never were. */
  readonly settledMs: number | undefined;
  readonly restarts: number;
  readonly partitions: number;
  readonly fetched: number;
  readonly network: NetworkCounts;
  /** Hash of what happened: the same for the same seed. */
  readonly fingerprint: string;
}

export const badWeather: Weather = { delayMinMs: 1, delayMaxMs: 120, lostShare: 0.05, doubledShare: 0.01 };

/** Virtual time between two commits, at most. */
const commitGapMaxMs = 400;

/** Nodes that are there from the start; the others come while commits are made. */
const presentShare = 0.8;

/** Of all nodes, those that begin anew, with nothing, at some time. */
const restartShare = 0.05;

/** One partition for so many commits; each cuts off up to so many of the nodes, for so long. */
const commitsPerPartition = 8;
const cutShareMax = 0.4;
const cutMaxMs = 9000;

/** A fleet that is not current so long after the last commit never will be. */
const settleMaxMs = 60_000;

/** Runs a fleet in virtual time: real followers, each with its own fold of the log, and a network of all kinds of faults. */
export async function simulateFleet(options: SimulationOptions): Promise<SimulationResult> {
  return new FleetSimulation(options).run();
}

interface SimulatedNode {
  readonly follower: Follower;
  readonly feed: SimulatedFeed;
  readonly stop: AbortController;
}

class FleetSimulation {
  readonly #options: SimulationOptions;
  readonly #random: () => number;
  readonly #time = new VirtualTime();
  readonly #log = new SimulatedLog();
  readonly #network: VirtualNetwork;
  readonly #nodes: (SimulatedNode | undefined)[];
  readonly #routes = new Set<RouteName>();
  readonly #history = createHash("sha256");
  #restarts = 0;
  #partitions = 0;
  #fetchedBefore = 0;
  #lastCommitMs: number | undefined;

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.#random = seededRandom(options.seed);
    this.#network = new VirtualNetwork(this.#time, this.#random, options.weather, options.nodes);
    this.#nodes = Array.from({ length: options.nodes }, () => undefined);
  }

  async run(): Promise<SimulationResult> {
    const { commits, lostNode } = this.#options;
    const spanMs = this.#planCommits(commits);
    for (let node = 0; node < this.#nodes.length; node += 1) this.#planNode(node, spanMs);
    for (let count = 0; count < commits / commitsPerPartition; count += 1)
      this.#time.after(this.#random() * spanMs, () => this.#cutSome());
    if (lostNode !== undefined) this.#network.cut(lostNode, Infinity);
    const endMs = spanMs + settleMaxMs;
    // Asking every node after each of millions of happenings would take longer than all of them.
    let settled = false;
    const look = (): void => {
      settled = this.#lastCommitMs !== undefined && this.#currentNodes().length === this.#nodes.length;
      if (!settled) this.#time.after(50, look);
    };
    this.#time.after(0, look);
    await this.#time.run(endMs, () => settled);
    return this.#result(settled);
  }

  /** Answers when the last one is made. */
  #planCommits(commits: number): number {
    let atMs = 0;
    for (let index = 0; index < commits; index += 1) {
      atMs += this.#random() * commitGapMaxMs;
      this.#time.after(atMs, () => this.#commit(index === 0, index === commits - 1));
    }
    return atMs;
  }

  #commit(first: boolean, last: boolean): void {
    const sealed = this.#log.append(first ? firstEvents() : randomEvents(this.#random, this.#routes), 0);
    const { revision } = this.#log.head;
    if (last) this.#lastCommitMs = this.#time.nowMs;
    for (const [index, node] of this.#nodes.entries())
      if (node !== undefined) this.#network.send(index, () => node.feed.hear(revision, sealed));
  }

  #planNode(node: number, spanMs: number): void {
    const startMs = this.#random() < presentShare ? 0 : this.#random() * spanMs;
    this.#time.after(startMs, () => this.#start(node));
    if (this.#random() >= restartShare) return;
    this.#time.after(startMs + this.#random() * spanMs, () => {
      this.#restarts += 1;
      this.#nodes[node]?.stop.abort();
      this.#fetchedBefore += this.#nodes[node]?.feed.fetched ?? 0;
      this.#start(node);
    });
  }

  #start(node: number): void {
    const note = (): void => {
      const { position } = follower.status;
      this.#history.update(`${node} ${position.revision} ${this.#time.nowMs}\n`);
    };
    const follower: Follower = new Follower(
      { id: `node-${node}`, region: "", labels: {} },
      () => Promise.resolve(note()),
      noted,
    );
    const feed = new SimulatedFeed({
      node,
      log: this.#log,
      time: this.#time,
      network: this.#network,
      random: this.#random,
    });
    const stop = new AbortController();
    this.#nodes[node] = { follower, feed, stop };
    void feed.follow(follower, stop.signal);
  }

  #cutSome(): void {
    this.#partitions += 1;
    const share = this.#random() * cutShareMax;
    const untilMs = this.#time.nowMs + this.#random() * cutMaxMs;
    for (let node = 0; node < this.#nodes.length; node += 1)
      if (this.#random() < share) this.#network.cut(node, untilMs);
  }

  #currentNodes(): readonly Follower[] {
    const { revision, hash } = this.#log.head;
    return this.#nodes.flatMap((node) => {
      const status = node?.follower.status;
      if (node === undefined || status === undefined) return [];
      const atHead = status.position.revision === revision && sameBytes(status.position.hash, hash);
      return atHead && status.loaded && status.stalled === undefined ? [node.follower] : [];
    });
  }

  #result(settled: boolean): SimulationResult {
    const current = this.#currentNodes();
    const { digest } = this.#log;
    let fetched = this.#fetchedBefore;
    for (const node of this.#nodes) {
      node?.stop.abort();
      fetched += node?.feed.fetched ?? 0;
    }
    return {
      current: current.length,
      digestsEqual: current.filter((follower) => sameBytes(follower.status.digest, digest)).length,
      settledMs: settled ? this.#time.nowMs - (this.#lastCommitMs as number) : undefined,
      restarts: this.#restarts,
      partitions: this.#partitions,
      fetched,
      network: this.#network.counts,
      fingerprint: this.#history.digest("hex").slice(0, 16),
    };
  }
}

/** A node's state is looked at, not told. */
function noted(): void {}
