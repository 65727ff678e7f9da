import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BenchOptions } from "./bench-options.ts";
import { bulkMeasure } from "./bulk-measure.ts";
import { commitMeasure } from "./commit-measure.ts";
import { type ConnectionCounts, takeCounts } from "./connection-counts.ts";
import type { CorePlan } from "./core-plan.ts";
import { commitId } from "./engine-target.ts";
import { judgeGoals } from "./goals.ts";
import { holdMeasure } from "./hold-measure.ts";
import { describeMachine } from "./machine.ts";
import type { Measure, MeasureName } from "./measure.ts";
import { takeMillion } from "./million-measure.ts";
import { rateMeasure } from "./rate-measure.ts";
import { type MeasureResults, type Results, summariseRounds } from "./results.ts";
import { type RoundOutcome, type RoundsPlan, takeRounds } from "./rounds.ts";
import { rttMeasure } from "./rtt-measure.ts";
import { takeScaling } from "./scaling-measure.ts";
import type { Target } from "./target.ts";
import { takeTlsRounds } from "./tls-measure.ts";

/** Measures of every target in the same manner. */
const common: readonly Measure[] = [
  rateMeasure,
  bulkMeasure,
  rttMeasure,
  holdMeasure("idle"),
  holdMeasure("half-hello"),
];

/** Takes everything that the options ask for. Rejects where the bench itself can't go on. */
export async function runBench(
  options: BenchOptions,
  targets: readonly Target[],
  cores: CorePlan,
  report: (line: string) => void,
): Promise<Results> {
  const machine = await describeMachine();
  const versions: Record<string, string> = {};
  const missing: Record<string, string> = {};
  const present: Target[] = [];
  for (const target of targets) {
    const availability = await target.availability();
    if (availability.available) {
      versions[target.name] = availability.version;
      present.push(target);
    } else {
      missing[target.name] = availability.why;
      report(`${target.name} is missing: ${availability.why}`);
    }
  }
  if (options.mode === "quick" && options.targets === undefined) leaveOutPortable(present);
  const plan: RoundsPlan = { targets: present, cores, sizes: options.sizes, report };
  const measures: Partial<Record<MeasureName, MeasureResults>> = {};
  for (const measure of common) {
    if (options.measures.includes(measure.name)) measures[measure.name] = summarise(await takeRounds(measure, plan));
  }
  if (options.measures.includes("tls")) measures.tls = summarise(await takeTlsRounds(plan));
  const own = present.find((target) => target.name.startsWith("switchyard"));
  if (own !== undefined) Object.assign(measures, await takeOwn(own, options, plan));
  const counts = options.measures.includes("counts") ? await takeAllCounts(present, plan) : {};
  return {
    schema: 1,
    takenAt: new Date().toISOString(),
    mode: options.mode,
    commit: await commitId(),
    machine,
    sizes: options.sizes,
    versions,
    missing,
    measures,
    counts,
    goals: judgeGoals(measures),
  };
}

/** The portable engine is the slowest by far, and takes its time in every round. */
function leaveOutPortable(targets: Target[]): void {
  if (!targets.some((target) => target.name === "switchyard")) return;
  const portable = targets.findIndex((target) => target.name === "switchyard-portable");
  if (portable >= 0) targets.splice(portable, 1);
}

async function takeOwn(target: Target, options: BenchOptions, plan: RoundsPlan): Promise<Results["measures"]> {
  const measures: Partial<Record<MeasureName, MeasureResults>> = {};
  const sizes = { ...plan.sizes, rounds: Math.min(plan.sizes.rounds, plan.sizes.ownRounds) };
  // The portable engine has one thread.
  if (options.measures.includes("scaling") && target.name === "switchyard") {
    const outcomes = await takeScaling(target, { ...plan, sizes });
    measures.scaling = { [target.name]: summariseRounds(outcomes) };
  }
  if (options.measures.includes("million")) {
    measures.million = {
      [target.name]: summariseRounds(await takeMillion(target.asNode ?? target, { ...plan, sizes })),
    };
  }
  if (options.measures.includes("commit")) {
    const proxy = { cores: plan.cores.pair, threads: 1 };
    measures.commit = summarise(
      await takeRounds(commitMeasure, { ...plan, sizes, proxy, targets: [target.asNode ?? target] }),
    );
  }
  return measures;
}

function summarise(outcomes: ReadonlyMap<string, readonly RoundOutcome[]>): MeasureResults {
  return Object.fromEntries([...outcomes].map(([target, rounds]) => [target, summariseRounds(rounds)]));
}

async function takeAllCounts(targets: readonly Target[], plan: RoundsPlan): Promise<Record<string, ConnectionCounts>> {
  const directory = await mkdtemp(join(tmpdir(), "switchyard-bench-"));
  const counts: Record<string, ConnectionCounts> = {};
  try {
    for (const target of targets.filter((one) => one.name !== "direct")) {
      counts[target.name] = await takeCounts(target, { ...plan, directory });
      const { failure } = counts[target.name] as ConnectionCounts;
      plan.report(`counts: ${target.name}${failure === undefined ? "" : `: ${failure}`}`);
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
  return counts;
}
