import type { ConnectionCounts } from "./connection-counts.ts";
import type { GoalRow } from "./goal-row.ts";
import type { Machine } from "./machine.ts";
import type { Figures, MeasureName, Sizes } from "./measure.ts";
import type { RoundOutcome } from "./rounds.ts";
import { median } from "./statistics.ts";

/** All that one run of the bench found; the JSON file is this value. */
export interface Results {
  readonly schema: 1;
  readonly takenAt: string;
  readonly mode: "quick" | "full";
  readonly commit: string;
  readonly machine: Machine;
  readonly sizes: Sizes;
  readonly versions: Readonly<Record<string, string>>;
  /** Targets that could not be measured, and why. */
  readonly missing: Readonly<Record<string, string>>;
  readonly measures: Partial<Record<MeasureName, MeasureResults>>;
  readonly counts: Readonly<Record<string, ConnectionCounts>>;
  readonly goals: readonly GoalRow[];
}

/** By target. */
export type MeasureResults = Readonly<Record<string, TargetResults>>;

export interface TargetResults {
  readonly rounds: readonly RoundOutcome[];
  readonly failures: number;
  /** Median of each figure over the rounds that went well; absent where fewer than half of them did. */
  readonly medians?: Figures;
}

/** Medians, where at least half of the rounds went well: else a median would be of what happened to work. */
export function summariseRounds(rounds: readonly RoundOutcome[]): TargetResults {
  const good = rounds.flatMap((round) => ("figures" in round ? [round.figures] : []));
  const failures = rounds.length - good.length;
  const first = good[0];
  if (first === undefined || good.length * 2 < rounds.length) return { rounds, failures };
  const names = Object.keys(first).filter((name) => good.every((figures) => figures[name] !== undefined));
  const medians = Object.fromEntries(
    names.map((name) => [name, median(good.map((figures) => figures[name] as number))]),
  );
  return { rounds, failures, medians };
}

/** The median of a figure, or undefined where it was not measured. */
export function medianOf(
  measures: Results["measures"],
  measure: MeasureName,
  target: string,
  figure: string,
): number | undefined {
  return measures[measure]?.[target]?.medians?.[figure];
}

export function countFailures(measures: Results["measures"]): number {
  let failures = 0;
  for (const targets of Object.values(measures)) {
    for (const target of Object.values(targets)) failures += target.failures;
  }
  return failures;
}

/** Above this share of the proxy's core, others disturbed the measurement. */
export const othersMax = 0.1;

/** The largest share that others had of the proxy's core, over the medians of all measures and targets. */
export function busiestOthers(measures: Results["measures"]): number {
  const shares = Object.values(measures).flatMap((targets) =>
    Object.values(targets).map((target) => target.medians?.["othersOnCore"] ?? 0),
  );
  return Math.max(0, ...shares);
}
