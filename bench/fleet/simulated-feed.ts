import type { SealedCommit } from "../../model/commit.ts";
import type { CommitFeed, CommitSink } from "../../dataplane/feed/commit-feed.ts";
import type { SimulatedLog } from "./simulated-log.ts";
import type { VirtualNetwork } from "./virtual-network.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** As the feed on NATS has them. */
const pollEveryMs = 1000;
const silenceMaxMs = 5000;
const getsInFlightMax = 64;
const getTimeoutMs = 500;

export interface SimulatedFeedOptions {
  readonly node: number;
  readonly log: SimulatedLog;
  readonly time: VirtualTime;
  readonly network: VirtualNetwork;
  /** Numbers from 0 to below 1. */
  readonly random: () => number;
}

/**
 * The way of a node's feed on NATS, over the virtual network: take what is republished, ask each second where the log
 * ends, fetch what is missing, deliver in order.
 */
export class SimulatedFeed implements CommitFeed {
  readonly #options: SimulatedFeedOptions;
  #sink: CommitSink | undefined;
  /** Heard, and not yet to be delivered. */
  readonly #waiting = new Map<number, SealedCommit>();
  /** By revision: when it was asked for. */
  readonly #asked = new Map<number, number>();
  #heardMs = 0;
  /** Behind the last revision that is known to be there. */
  #end = 1;
  #retryPlanned = false;
  /** Commits that were fetched because the feed had not brought them. */
  fetched = 0;

  constructor(options: SimulatedFeedOptions) {
    this.#options = options;
  }

  follow(sink: CommitSink, signal: AbortSignal): Promise<void> {
    const { time, random } = this.#options;
    this.#sink = sink;
    this.#heardMs = time.nowMs;
    time.after(random() * pollEveryMs, () => this.#poll(signal));
    return new Promise((resolve) => {
      signal.addEventListener("abort", () => {
        this.#sink = undefined;
        resolve();
      });
    });
  }

  /** A commit as the server republishes it. */
  async hear(revision: number, sealed: SealedCommit): Promise<void> {
    const sink = this.#sink;
    if (sink === undefined) return;
    this.#heard(sink);
    this.#waiting.set(revision, sealed);
    await this.#deliver(sink);
    this.#fetchBefore(sink, revision);
  }

  /** A get, or its answer, may have been lost. */
  #retryLater(sink: CommitSink): void {
    if (this.#retryPlanned) return;
    this.#retryPlanned = true;
    this.#options.time.after(getTimeoutMs, () => {
      this.#retryPlanned = false;
      if (this.#sink === sink && sink.position().revision + 1 < this.#end) this.#fetchBefore(sink, this.#end);
    });
  }

  #poll(signal: AbortSignal): void {
    const { node, log, time, network } = this.#options;
    const sink = this.#sink;
    if (signal.aborted || sink === undefined) return;
    if (time.nowMs - this.#heardMs > silenceMaxMs) sink.state("disconnected");
    network.send(node, () => {
      const { head } = log;
      network.send(node, async () => {
        if (this.#sink !== sink) return;
        this.#heard(sink);
        await sink.beacon(head);
        this.#fetchBefore(sink, head.revision + 1);
      });
    });
    time.after(pollEveryMs, () => this.#poll(signal));
  }

  #fetchBefore(sink: CommitSink, end: number): void {
    const { node, log, time, network } = this.#options;
    const first = sink.position().revision + 1;
    this.#end = Math.max(this.#end, end);
    if (first < end) this.#retryLater(sink);
    for (let revision = first; revision < Math.min(end, first + getsInFlightMax); revision += 1) {
      if (this.#waiting.has(revision)) continue;
      if (time.nowMs - (this.#asked.get(revision) ?? -Infinity) < getTimeoutMs) continue;
      this.#asked.set(revision, time.nowMs);
      network.send(node, () => {
        const sealed = log.at(revision);
        if (sealed === undefined) return;
        network.send(node, async () => {
          if (this.#sink !== sink) return;
          this.fetched += 1;
          this.#heard(sink);
          this.#waiting.set(revision, sealed);
          await this.#deliver(sink);
        });
      });
    }
  }

  #heard(sink: CommitSink): void {
    this.#heardMs = this.#options.time.nowMs;
    sink.state("following");
  }

  async #deliver(sink: CommitSink): Promise<void> {
    for (;;) {
      const next = sink.position().revision + 1;
      const sealed = this.#waiting.get(next);
      if (sealed === undefined) break;
      this.#waiting.delete(next);
      this.#asked.delete(next);
      await sink.commit(sealed);
    }
    const { revision } = sink.position();
    for (const heard of this.#waiting.keys()) if (heard <= revision) this.#waiting.delete(heard);
  }
}
