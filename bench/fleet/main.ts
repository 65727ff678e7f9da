/** `npm run bench:fleet`: what a fleet costs and how fast it is, against its goals. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { commitId } from "../compare/engine-target.ts";
import { describeMachine } from "../compare/machine.ts";
import { repositoryPath } from "../compare/repository-path.ts";
import type { TargetResults } from "../compare/results.ts";
import { toolVersion } from "../compare/tool-version.ts";
import { judgeFleetGoals } from "./fleet-goals.ts";
import { fanoutMeasure } from "./fanout-measure.ts";
import type { FleetMeasure, FleetMeasureName } from "./fleet-measure.ts";
import { type FleetOptions, fleetUsage, parseFleetOptions } from "./fleet-options.ts";
import { fleetReportText } from "./fleet-report.ts";
import type { FleetResults } from "./fleet-results.ts";
import { takeFleetRounds } from "./fleet-rounds.ts";
import { regionsMeasure } from "./regions-measure.ts";
import { restartMeasure } from "./restart-measure.ts";
import { sessionsMeasure } from "./sessions-measure.ts";
import { simulationMeasure } from "./simulation-measure.ts";
import { startMeasure } from "./start-measure.ts";
import { writersMeasure } from "./writers-measure.ts";

const measures: readonly FleetMeasure[] = [
  fanoutMeasure,
  regionsMeasure,
  restartMeasure,
  writersMeasure,
  startMeasure,
  sessionsMeasure,
  simulationMeasure,
];

async function main(): Promise<number> {
  let options: FleetOptions;
  try {
    options = parseFleetOptions(process.argv.slice(2), Math.floor(Math.random() * 2 ** 31));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${fleetUsage}\n`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(`${fleetUsage}\n`);
    return 0;
  }
  const stopping = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stopping.abort());
  const results = await runFleetBench(options, stopping.signal);
  process.stdout.write(fleetReportText(results, measures));
  if (stopping.signal.aborted) return 1;
  await writeResults(results, options.outputDirectory ?? repositoryPath("bench", "results"));
  return Object.values(results.measures).some(({ failures }) => failures > 0) ? 1 : 0;
}

async function runFleetBench(options: FleetOptions, stopping: AbortSignal): Promise<FleetResults> {
  const report = (line: string): void => void process.stderr.write(`${line}\n`);
  const { mode, sizes } = options;
  const machine = await describeMachine();
  const found: Partial<Record<FleetMeasureName, TargetResults>> = {};
  const missing: Partial<Record<FleetMeasureName, string>> = {};
  for (const measure of measures) {
    if (!options.measures.includes(measure.name) || stopping.aborted) continue;
    const why = await measure.obstacle();
    if (why === undefined) found[measure.name] = await takeFleetRounds(measure, { sizes, report, stopping });
    else missing[measure.name] = why;
  }
  return {
    schema: 1,
    takenAt: new Date().toISOString(),
    mode,
    commit: await commitId(),
    natsServer: (await toolVersion("nats-server", "--version")) ?? "none",
    machine,
    sizes,
    measures: found,
    missing,
    goals: judgeFleetGoals(found, missing, sizes),
  };
}

async function writeResults(results: FleetResults, directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  const stamp = results.takenAt.slice(0, 19).replaceAll(":", "").replace("T", "-");
  await writeFile(join(directory, `fleet-${stamp}.json`), `${JSON.stringify(results, null, 2)}\n`);
}

// A round that was given up may still wait for something.
process.exit(await main());
