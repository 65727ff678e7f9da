import { setTimeout as delay } from "node:timers/promises";

const pollMs = 5;

/** Resolves when the condition holds; rejects after the time, with what was waited for. */
export async function until(
  what: string,
  timeoutMs: number,
  condition: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`after ${timeoutMs} ms not yet: ${what}`);
    await delay(pollMs);
  }
}
