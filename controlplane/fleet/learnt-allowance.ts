/** What one node may share: at its fastest it sends a message each 10 ms, and a part of an answer each 50 ms. */
const messageRate = { perS: 200, burst: 1000 };

/** A node asks when its session begins, and five times more where nobody knew anything. */
const questionRate = { perS: 1, burst: 20 };

/** Of one session, beside its allowance for all messages: what is shared goes to many. */
export class LearntAllowance {
  readonly #messages: Bucket;
  readonly #questions: Bucket;

  /** `nowMs` is by a clock that never goes back. */
  constructor(nowMs: number) {
    this.#messages = new Bucket(messageRate, nowMs);
    this.#questions = new Bucket(questionRate, nowMs);
  }

  /** Whether there was enough left for one more. */
  takeMessage(nowMs: number): boolean {
    return this.#messages.take(nowMs);
  }

  takeQuestion(nowMs: number): boolean {
    return this.#questions.take(nowMs);
  }
}

interface Rate {
  readonly perS: number;
  readonly burst: number;
}

class Bucket {
  readonly #rate: Rate;
  #left: number;
  #filledMs: number;

  constructor(rate: Rate, nowMs: number) {
    this.#rate = rate;
    this.#left = rate.burst;
    this.#filledMs = nowMs;
  }

  take(nowMs: number): boolean {
    const { perS, burst } = this.#rate;
    this.#left = Math.min(burst, this.#left + ((nowMs - this.#filledMs) / 1000) * perS) - 1;
    this.#filledMs = nowMs;
    return this.#left >= 0;
  }
}
