import { summariseRounds, type TargetResults } from "../compare/results.ts";
import type { RoundOutcome } from "../compare/rounds.ts";
import type { FleetMeasure, FleetSizes } from "./fleet-measure.ts";
import { machineShares, machineTimes } from "./machine-share.ts";
import { TestBed } from "./test-bed.ts";

/** What is common to the rounds of all measures. */
export interface FleetRoundsPlan {
  readonly sizes: FleetSizes;
  readonly report: (line: string) => void;
  /** Aborts when the bench is told to end: the round is lost, and its bed cleared, at once. */
  readonly stopping: AbortSignal;
}

/** Takes a measure as often as its rounds say. A failed round is an outcome like any other. */
export async function takeFleetRounds(measure: FleetMeasure, plan: FleetRoundsPlan): Promise<TargetResults> {
  const rounds = plan.sizes.rounds[measure.name];
  const outcomes: RoundOutcome[] = [];
  for (let index = 0; index < rounds && !plan.stopping.aborted; index += 1) {
    const startedMs = performance.now();
    const outcome = await takeRound(measure, index, plan);
    outcomes.push(outcome);
    const took = `${((performance.now() - startedMs) / 1000).toFixed(1)} s`;
    const failure = "failure" in outcome ? `: FAILED: ${outcome.failure}` : "";
    plan.report(`${measure.name}: round ${index + 1} of ${rounds}, ${took}${failure}`);
  }
  return summariseRounds(outcomes);
}

async function takeRound(measure: FleetMeasure, index: number, plan: FleetRoundsPlan): Promise<RoundOutcome> {
  const { sizes, report, stopping } = plan;
  const bed = await TestBed.make();
  let stop: () => void = () => undefined;
  const stopped = new Promise<never>((_, reject) => {
    stop = () => reject(new Error("the bench was told to end"));
    stopping.addEventListener("abort", stop);
  });
  const before = machineTimes();
  try {
    const figures = await Promise.race([measure.take({ bed, sizes, index, report }), stopped]);
    return { round: index, figures: { ...figures, ...machineShares(before, machineTimes()) } };
  } catch (error) {
    return { round: index, failure: error instanceof Error ? error.message : String(error) };
  } finally {
    stopping.removeEventListener("abort", stop);
    await bed.close();
  }
}
