import { setImmediate } from "node:timers/promises";
import type { Steps } from "../../model/steps.ts";

/** Long work gives way to decisions after so long; a connection that arrives meanwhile waits at most about this. */
const sliceMs = 4;

/** Drives work to its end, in slices between which connections are decided. Short work is done before this returns. */
export async function inSlices<Result>(steps: Steps<Result>): Promise<Result> {
  let sliceEnd = performance.now() + sliceMs;
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (performance.now() < sliceEnd) continue;
    await setImmediate();
    sliceEnd = performance.now() + sliceMs;
  }
}
