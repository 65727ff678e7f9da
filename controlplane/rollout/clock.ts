import { setTimeout } from "node:timers/promises";

/** Time as the controller, and the lease, have it: it never goes back, and goes on while the process is stopped. */
export interface Clock {
  monotonicMs(): number;
  /** Resolves after so long, or at once when the signal is aborted; never rejects. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  async wait(ms, signal) {
    try {
      await setTimeout(ms, undefined, { signal });
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  },
};
