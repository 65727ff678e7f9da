/**
 * Work that may be too long for one turn of the event loop, as a generator: each `yield` is a place where the caller may
 * let others run. The pure code that does the work knows neither clock nor promise; who drives it decides.
 */
export type Steps<Result> = Generator<void, Result, void>;

/** Drives the work to its end at once. */
export function atOnce<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
