import { sessionRate } from "./session-limits.ts";
import { TokenBucket } from "./token-bucket.ts";

/** What one session has left to say: two buckets that fill up with time. */
export class SessionAllowance {
  readonly #messages: TokenBucket;
  readonly #bytes: TokenBucket;

  /** `nowMs` is by a clock that never goes back. */
  constructor(nowMs: number) {
    const { messagesPerS, messagesBurst, bytesPerS, bytesBurst } = sessionRate;
    this.#messages = new TokenBucket({ perS: messagesPerS, burst: messagesBurst }, nowMs);
    this.#bytes = new TokenBucket({ perS: bytesPerS, burst: bytesBurst }, nowMs);
  }

  /** Whether there was enough left for one more message. */
  take(bytes: number, nowMs: number): boolean {
    const mayTalk = this.#messages.take(1, nowMs);
    return this.#bytes.take(bytes, nowMs) && mayTalk;
  }
}
