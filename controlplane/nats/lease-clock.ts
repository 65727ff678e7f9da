import { setTimeout } from "node:timers/promises";

/** What a lease is measured by. */
export interface LeaseClock {
  /** Milliseconds that never go back, and go on while the process is stopped. */
  nowMs(): number;
  /** Resolves after that time, or when the signal aborts, whichever is first. */
  pause(ms: number, signal: AbortSignal): Promise<void>;
  /** From 0 to 1, as Math.random: so that replicas do not all ask at once. */
  random(): number;
}

/** The machine's. */
export const machineClock: LeaseClock = {
  nowMs: () => performance.now(),
  pause: (ms, signal) => setTimeout(ms, undefined, { signal }).catch(() => undefined),
  random: Math.random,
};
