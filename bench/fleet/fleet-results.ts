import type { GoalRow } from "../compare/goal-row.ts";
import type { Machine } from "../compare/machine.ts";
import type { TargetResults } from "../compare/results.ts";
import type { FleetMeasureName, FleetSizes } from "./fleet-measure.ts";

/** All that one run of the fleet's bench found; the JSON file is this value. */
export interface FleetResults {
  readonly schema: 1;
  readonly takenAt: string;
  readonly mode: "quick" | "full";
  readonly commit: string;
  readonly natsServer: string;
  readonly machine: Machine;
  readonly sizes: FleetSizes;
  /** Rounds, failures and medians. */
  readonly measures: Readonly<Partial<Record<FleetMeasureName, TargetResults>>>;
  /** Measures that can't be taken here, and why. */
  readonly missing: Readonly<Partial<Record<FleetMeasureName, string>>>;
  readonly goals: readonly GoalRow[];
}

/** Above this share of the machine, others disturbed the measurement. */
export const othersMax = 0.1;

/** The largest share of the machine that others had, over the medians of all measures. */
export function busiestOthers(measures: FleetResults["measures"]): number {
  return Math.max(0, ...Object.values(measures).map(({ medians }) => medians?.["othersShare"] ?? 0));
}
