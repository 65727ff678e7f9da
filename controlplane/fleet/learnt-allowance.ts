import { TokenBucket } from "./token-bucket.ts";

/** What one node may share: at its fastest it sends a message each 10 ms, and a part of an answer each 50 ms. */
const messageRate = { perS: 200, burst: 1000 };

/** A node asks when its session begins, and five times more where nobody knew anything. */
const questionRate = { perS: 1, burst: 20 };

/** Of one session, beside its allowance for all messages: what is shared goes to many. */
export class LearntAllowance {
  readonly #messages: TokenBucket;
  readonly #questions: TokenBucket;

  /** `nowMs` is by a clock that never goes back. */
  constructor(nowMs: number) {
    this.#messages = new TokenBucket(messageRate, nowMs);
    this.#questions = new TokenBucket(questionRate, nowMs);
  }

  /** Whether there was enough left for one more. */
  takeMessage(nowMs: number): boolean {
    return this.#messages.take(1, nowMs);
  }

  takeQuestion(nowMs: number): boolean {
    return this.#questions.take(1, nowMs);
  }
}
