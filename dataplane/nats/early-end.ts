/**
 * Whether the log has lost its tail. An end that is before the node's position may be that of a server or a mirror that
 * lags, so it must have been there for a while; it is said once.
 */
export class EarlyEnd {
  readonly #forMs: number;
  #sinceMs: number | undefined;
  #said = false;

  constructor(forMs: number) {
    this.#forMs = forMs;
  }

  /** The log reaches the node's position. */
  over(): void {
    this.#sinceMs = undefined;
    this.#said = false;
  }

  /** The log ends early, heard now. Answers whether that is to be said. */
  seen(nowMs: number): boolean {
    this.#sinceMs ??= nowMs;
    if (this.#said || nowMs - this.#sinceMs < this.#forMs) return false;
    this.#said = true;
    return true;
  }
}
