export interface Rate {
  readonly perS: number;
  readonly burst: number;
}

/** So much may be taken at once, and so much more as time goes by. */
export class TokenBucket {
  readonly #rate: Rate;
  #left: number;
  #filledMs: number;

  /** `nowMs` is by a clock that never goes back. */
  constructor(rate: Rate, nowMs: number) {
    this.#rate = rate;
    this.#left = rate.burst;
    this.#filledMs = nowMs;
  }

  /** Whether there was enough left. What is too much is taken all the same: who asks for it is cut off. */
  take(amount: number, nowMs: number): boolean {
    const { perS, burst } = this.#rate;
    this.#left = Math.min(burst, this.#left + ((nowMs - this.#filledMs) / 1000) * perS) - amount;
    this.#filledMs = nowMs;
    return this.#left >= 0;
  }
}
