import { type Learnt, learntEntriesMax } from "../../model/learnt.ts";
import { AnswerParts } from "./answer-parts.ts";
import type { LearntExchange, LearntHost } from "./learnt-exchange.ts";
import { PendingLearnt } from "./pending-learnt.ts";

/** What is published within so long goes out together. */
const gatherMs = 10;

/** Between two parts of answers: the control plane cuts off who says too much. */
const answerGapMs = 50;

/** A question that brought nothing is asked again after so long, doubled each time, so often. */
const askAgainMs = 2000;
const asksMax = 6;

/** What a session carries for an exchange. */
export type OutgoingLearnt =
  | { readonly is: "question" }
  /** `to` is empty for all nodes of the region. */
  | { readonly is: "learnt"; readonly to: string; readonly learnt: Learnt };

/** An exchange, for the session that carries it: sessions come and go, and what waits is kept for the next one. */
export interface LearntOutbox {
  /** A session has begun; `onReady` is called when there is something to take. Returns the way to stop. */
  open(onReady: () => void): () => void;
  /** What is to go out now; undefined for nothing. */
  take(): OutgoingLearnt | undefined;
  heard(learnt: Learnt): void;
  asked(asker: string): void;
}

/**
 * Shares by way of the node's session with the control plane, which passes it on to the other nodes of the region: for nodes
 * without NATS. It sends nothing by itself; the session takes from it when there is room.
 */
export class SessionLearntExchange implements LearntExchange, LearntOutbox {
  readonly #host: LearntHost;
  readonly #pending: PendingLearnt;
  readonly #answers: AnswerParts;
  #onReady: (() => void) | undefined;
  #newsReady = false;
  #answerReady = false;
  #questionReady = false;
  #newsTimer: NodeJS.Timeout | undefined;
  #answerTimer: NodeJS.Timeout | undefined;
  #askTimer: NodeJS.Timeout | undefined;
  #asks = 0;

  /** `nowMs`: milliseconds of a monotonic clock. */
  constructor(host: LearntHost, nowMs: () => number) {
    this.#host = host;
    this.#answers = new AnswerParts(host, learntEntriesMax);
    this.#pending = new PendingLearnt(nowMs);
  }

  /** Entries that could not be told in time. */
  get dropped(): number {
    return this.#pending.dropped;
  }

  publish(learnt: Learnt): void {
    this.#pending.add(learnt);
    this.#newsSoon();
  }

  ask(): void {
    this.#asks = 0;
    this.#askOnce();
  }

  /** The session holds it. */
  async hold(): Promise<void> {
    await Promise.resolve();
  }

  open(onReady: () => void): () => void {
    this.#onReady = onReady;
    this.#newsSoon();
    this.ask();
    return () => {
      if (this.#onReady === onReady) this.#close();
    };
  }

  take(): OutgoingLearnt | undefined {
    if (this.#questionReady) {
      this.#questionReady = false;
      return { is: "question" };
    }
    if (this.#newsReady) {
      const learnt = this.#pending.take(learntEntriesMax);
      this.#newsReady = false;
      this.#newsSoon();
      if (learnt !== undefined) return { is: "learnt", to: "", learnt };
    }
    if (!this.#answerReady) return undefined;
    this.#answerReady = false;
    const part = this.#answers.next();
    if (part === undefined) return undefined;
    this.#answerSoon();
    return { is: "learnt", ...part };
  }

  heard(learnt: Learnt): void {
    // An answer that is empty came from a node that is as new as this one.
    if (learnt.ticketNames.length + learnt.sessionIds.length > 0) clearTimeout(this.#askTimer);
    this.#host.take(learnt);
  }

  asked(asker: string): void {
    if (asker === "" || this.#onReady === undefined) return;
    this.#answers.asked(asker);
    this.#answerSoon();
  }

  #askOnce(): void {
    clearTimeout(this.#askTimer);
    if (this.#onReady === undefined) return;
    this.#questionReady = true;
    this.#asks += 1;
    if (this.#asks < asksMax) this.#askTimer = setTimeout(() => this.#askOnce(), askAgainMs * 2 ** (this.#asks - 1));
    this.#onReady();
  }

  #newsSoon(): void {
    if (this.#onReady === undefined || this.#newsReady || this.#pending.size === 0) return;
    this.#newsTimer ??= setTimeout(() => {
      this.#newsTimer = undefined;
      this.#newsReady = true;
      this.#onReady?.();
    }, gatherMs);
  }

  #answerSoon(): void {
    if (this.#answerReady) return;
    this.#answerTimer ??= setTimeout(() => {
      this.#answerTimer = undefined;
      this.#answerReady = true;
      this.#onReady?.();
    }, answerGapMs);
  }

  #close(): void {
    this.#onReady = undefined;
    for (const timer of [this.#newsTimer, this.#answerTimer, this.#askTimer]) clearTimeout(timer);
    this.#newsTimer = this.#answerTimer = this.#askTimer = undefined;
    this.#newsReady = this.#answerReady = this.#questionReady = false;
    this.#answers.clear();
  }
}
