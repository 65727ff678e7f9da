import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RateResult, runLoad, Sink } from "./load-programs.ts";
import type { Figures } from "./measure.ts";
import { readResidentBytes } from "./process-usage.ts";
import { benchNames, type RoundOutcome, type RoundsPlan } from "./rounds.ts";
import type { Target } from "./target.ts";

const routes = 1_000_000;
const servers = 4;

/** How long a node takes to be ready with a million routes; that it routes by then is seen by connections. */
export async function takeMillion(target: Target, plan: RoundsPlan): Promise<RoundOutcome[]> {
  const sink = await Sink.start(servers, plan.cores.sink);
  const outcomes: RoundOutcome[] = [];
  try {
    for (let round = 0; round < plan.sizes.rounds; round += 1) {
      try {
        outcomes.push({ round, figures: await takeStart(target, plan, sink) });
      } catch (error) {
        const failure = error instanceof Error ? error.message : String(error);
        outcomes.push({ round, failure });
        plan.report(`million ${target.name} round ${round + 1}: ${failure}`);
      }
    }
  } finally {
    await sink.stop();
  }
  plan.report(`million: ${plan.sizes.rounds} rounds`);
  return outcomes;
}

async function takeStart(target: Target, plan: RoundsPlan, sink: Sink): Promise<Figures> {
  if (target.startWithRoutes === undefined) throw new Error("this target can't start with routes");
  const directory = await mkdtemp(join(tmpdir(), "switchyard-bench-"));
  const setup = { serverPorts: sink.ports, names: benchNames, directory, threads: 1, cores: plan.cores.pair };
  try {
    const started = await target.startWithRoutes(setup, routes);
    const { running, readyMs, tableBytes } = started;
    try {
      if (started.routes < routes) throw new Error(`it is ready with ${started.routes} routes`);
      const options = { seconds: 5, connections: 100, concurrency: 4 };
      await runLoad<RateResult>("rate", running.ports, options, plan.cores.load);
      const resident = running.pid === undefined ? 0 : readResidentBytes(running.pid);
      const provenMs = await started.proven();
      return { readyMs, provenMs, tableBytesPerName: tableBytes / started.routes, residentBytes: resident };
    } finally {
      await running.stop();
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
