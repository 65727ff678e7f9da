/** How long to wait before a connection is tried again: doubled each time, with jitter, so that a fleet does not storm. */
export class Backoff {
  readonly #minMs: number;
  readonly #maxMs: number;
  readonly #random: () => number;

  /** `random` gives numbers from 0 to 1, as Math.random does. */
  constructor(minMs: number, maxMs: number, random: () => number) {
    this.#minMs = minMs;
    this.#maxMs = maxMs;
    this.#random = random;
  }

  /** For the attempt after `failures` in a row (0 or more): between half and all of the doubled minimum. */
  delayMs(failures: number): number {
    const full = Math.min(this.#maxMs, this.#minMs * 2 ** Math.min(failures, 20));
    return full * (0.5 + this.#random() / 2);
  }
}

/** Resolves after `ms`, or at once when the signal aborts. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const settle = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", settle);
      resolve();
    };
    const timer = setTimeout(settle, ms);
    signal.addEventListener("abort", settle);
  });
}
