import { sessionRate } from "./session-limits.ts";

/** What one session has left to say: two buckets that fill up with time. */
export class SessionAllowance {
  #messages: number = sessionRate.messagesBurst;
  #bytes: number = sessionRate.bytesBurst;
  #filledMs: number;

  /** `nowMs` is by a clock that never goes back. */
  constructor(nowMs: number) {
    this.#filledMs = nowMs;
  }

  /** Whether there was enough left for one more message. */
  take(bytes: number, nowMs: number): boolean {
    const seconds = (nowMs - this.#filledMs) / 1000;
    this.#filledMs = nowMs;
    this.#messages = Math.min(sessionRate.messagesBurst, this.#messages + seconds * sessionRate.messagesPerS) - 1;
    this.#bytes = Math.min(sessionRate.bytesBurst, this.#bytes + seconds * sessionRate.bytesPerS) - bytes;
    return this.#messages >= 0 && this.#bytes >= 0;
  }
}
