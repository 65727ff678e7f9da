/** The few statistics that the tables need. */

export interface Summary {
  readonly count: number;
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** The middle value; of an even count the mean of the two in the middle. Throws a RangeError for none. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("a median of no values");
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

export function summarise(values: readonly number[]): Summary {
  return { count: values.length, median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/**
 * The order of a round: the first target moves to the end with each round, so that no target always runs after the same
 * one, or always first on a machine that has just rested.
 */
export function rotated<T>(items: readonly T[], round: number): readonly T[] {
  if (items.length === 0) return items;
  const shift = round % items.length;
  return [...items.slice(shift), ...items.slice(0, shift)];
}
