/**
 * The seed of this run, which vitest.config.ts sets and prints: `SWITCHYARD_TEST_SEED=123 npm test` repeats a run.
 */
export function runSeed(): number {
  return Number(process.env["SWITCHYARD_TEST_SEED"] ?? 1);
}

/** A sequence of numbers from 0 to below 1, the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
