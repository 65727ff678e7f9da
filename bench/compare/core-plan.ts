import { availableParallelism } from "node:os";

/**
 * Which processor cores do what. The proxy has one to itself; generator and sink share another, or have one each where
 * the machine has four.
 */
export interface CorePlan {
  readonly load: readonly number[];
  readonly sink: readonly number[];
  readonly proxy: readonly number[];
  /** For two engine threads. Where it overlaps with the generator's, throughput says little and CPU time counts. */
  readonly pair: readonly number[];
  readonly pairIsApart: boolean;
}

/** Throws a RangeError below two cores: a generator on the proxy's core measures itself. */
export function planCores(cores: number = availableParallelism()): CorePlan {
  if (cores < 2) throw new RangeError("the comparison needs two processor cores: one for the proxy, one for the load");
  if (cores < 4) return { load: [0], sink: [0], proxy: [1], pair: [0, 1], pairIsApart: false };
  return { load: [0], sink: [1], proxy: [2], pair: [2, 3], pairIsApart: true };
}
