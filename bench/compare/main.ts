import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseBenchOptions, usage } from "./bench-options.ts";
import { runBench } from "./bench-run.ts";
import { chartPanels } from "./chart-panels.ts";
import { planCores } from "./core-plan.ts";
import { directTarget } from "./direct-target.ts";
import { engineTarget } from "./engine-target.ts";
import { haproxyTarget } from "./haproxy-target.ts";
import { buildLoadPrograms } from "./load-programs.ts";
import { machineObstacles } from "./machine.ts";
import { nginxTarget } from "./nginx-target.ts";
import { reportText } from "./report.ts";
import { repositoryPath } from "./repository-path.ts";
import { countFailures, type Results } from "./results.ts";
import { svgChart } from "./svg-chart.ts";
import type { Target } from "./target.ts";

/** Switchyard first: the first of a name that starts with it is the one that the goals are about. */
const allTargets: readonly Target[] = [
  engineTarget("native"),
  engineTarget("portable"),
  haproxyTarget("default"),
  haproxyTarget("tuned"),
  nginxTarget,
  directTarget,
];

async function main(): Promise<number> {
  let options: ReturnType<typeof parseBenchOptions>;
  try {
    options = parseBenchOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${usage}\n`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(`${usage}\n`);
    return 0;
  }
  const report = (line: string): void => void process.stderr.write(`${line}\n`);
  for (const obstacle of machineObstacles()) report(`note: ${obstacle}`);
  const targets = allTargets.filter((target) => options.targets?.includes(target.name) ?? true);
  for (const name of options.targets ?? []) {
    if (targets.some((target) => target.name === name)) continue;
    report(`--targets: there is no ${name}\n${usage}`);
    return 2;
  }
  await buildLoadPrograms();
  const results = await runBench(options, targets, planCores(), report);
  process.stdout.write(reportText(results));
  await writeResults(results, options.outputDirectory ?? repositoryPath("bench", "results"));
  const failures = countFailures(results.measures);
  if (failures === 0) return 0;
  report(`${failures} rounds failed: their figures are not in the medians`);
  return 1;
}

async function writeResults(results: Results, directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  const stamp = results.takenAt.slice(0, 19).replaceAll(":", "").replace("T", "-");
  await writeFile(join(directory, `${stamp}.json`), `${JSON.stringify(results, null, 2)}\n`);
  const panels = chartPanels(results.measures);
  if (panels.length === 0) return;
  const { processor, cores } = results.machine;
  const where = `One proxy on one core, medians of ${results.sizes.rounds} interleaved rounds; ${processor}, ${cores} cores`;
  await writeFile(join(directory, "latest.svg"), svgChart("Switchyard and its peers", where, panels));
}

// Debian has haproxy and nginx in a directory that is not in every user's path.
process.env["PATH"] = `${process.env["PATH"] ?? ""}:/usr/sbin`;
process.exitCode = await main();
