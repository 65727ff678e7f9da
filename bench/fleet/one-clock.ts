/**
 * Milliseconds of the machine's monotonic clock (CLOCK_MONOTONIC), which all its processes share: times of different
 * processes may be compared, and nobody who sets the wall clock moves them.
 */
export function sharedNowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
