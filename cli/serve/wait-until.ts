import { setTimeout } from "node:timers/promises";

/** Looks at a condition until it holds, or the signal aborts. */
export async function waitUntil(condition: () => boolean, signal: AbortSignal): Promise<void> {
  while (!condition() && !signal.aborted) await setTimeout(10);
}
