/** Something that was started, and how it is ended. */
export interface Running {
  readonly what: string;
  readonly close: () => Promise<void>;
}

/** Things that were started, to be ended in the reverse order; also when the start of one of them fails. */
export class Lifetimes {
  readonly #running: Running[] = [];

  add(what: string, close: () => Promise<void>): void {
    this.#running.push({ what, close });
  }

  /** Ends everything, the newest first. One that fails does not keep the others; the first failure is thrown last. */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (const { what, close } of this.#running.splice(0).reverse())
      await close().catch((error: unknown) => failures.push(new Error(`${what} did not end well`, { cause: error })));
    if (failures.length > 0) throw failures[0];
  }
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
