import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CorePlan } from "./core-plan.ts";
import { Sink } from "./load-programs.ts";
import type { Figures, Measure, Sizes } from "./measure.ts";
import { rotated } from "./statistics.ts";
import type { RunningTarget, Target } from "./target.ts";

/** What came of one round with one target. */
export type RoundOutcome =
  | { readonly round: number; readonly figures: Figures }
  | { readonly round: number; readonly failure: string };

export interface RoundsPlan {
  readonly targets: readonly Target[];
  readonly cores: CorePlan;
  readonly sizes: Sizes;
  readonly report: (line: string) => void;
  /** Cores and threads of the proxies; where absent, one core and one thread. */
  readonly proxy?: { readonly cores: readonly number[]; readonly threads: number };
}

/** Servers behind each proxy. */
const servers = 4;

/** The names that the generator announces (`bench/load/options.h`). */
export const benchNames: readonly string[] = Array.from({ length: 8 }, (_, index) => `host${index}.bench.test`);

/**
 * Takes one measure of every target in interleaved rounds: A B C, B C A, C A B. Failures are outcomes like any other,
 * and the target begins its next round afresh. Rejects only where the sink is gone: then nothing can be measured.
 */
export async function takeRounds(measure: Measure, plan: RoundsPlan): Promise<Map<string, RoundOutcome[]>> {
  const sink = await Sink.start(servers, plan.cores.sink);
  const targets = plan.targets.filter((target) => measure.includesDirect || target.name !== "direct");
  const outcomes = new Map<string, RoundOutcome[]>(targets.map((target) => [target.name, []]));
  const live = new Map<string, LiveTarget>();
  try {
    for (let round = 0; round < plan.sizes.rounds; round += 1) {
      for (const target of rotated(targets, round)) {
        const outcome = await takeRound(measure, target, round, { plan, sink, live });
        if (!sink.running) throw new Error("the sink has ended; nothing can be measured without it");
        outcomes.get(target.name)?.push(outcome);
        if ("failure" in outcome) plan.report(`${measure.name} ${target.name} round ${round + 1}: ${outcome.failure}`);
      }
      plan.report(`${measure.name}: round ${round + 1} of ${plan.sizes.rounds}`);
    }
  } finally {
    for (const target of live.values()) await target.stop();
    await sink.stop();
  }
  return outcomes;
}

interface RoundContext {
  readonly plan: RoundsPlan;
  readonly sink: Sink;
  readonly live: Map<string, LiveTarget>;
}

async function takeRound(
  measure: Measure,
  target: Target,
  round: number,
  context: RoundContext,
): Promise<RoundOutcome> {
  const { plan, sink, live } = context;
  let failed = false;
  try {
    const known = live.get(target.name);
    const started = known ?? (await LiveTarget.start(target, plan, sink));
    live.set(target.name, started);
    const run = { target: started.running, sink, cores: plan.cores, sizes: plan.sizes };
    if (known === undefined) await measure.warmUp(run);
    return { round, figures: await measure.take(run) };
  } catch (error) {
    failed = true;
    return { round, failure: error instanceof Error ? error.message : String(error) };
  } finally {
    if (failed || measure.freshProcess) {
      await live.get(target.name)?.stop();
      live.delete(target.name);
    }
  }
}

/** A started target with its directory. */
export class LiveTarget {
  readonly running: RunningTarget;
  readonly #directory: string;

  private constructor(running: RunningTarget, directory: string) {
    this.running = running;
    this.#directory = directory;
  }

  static async start(
    target: Target,
    plan: Pick<RoundsPlan, "cores" | "proxy">,
    servers: Pick<Sink, "ports">,
  ): Promise<LiveTarget> {
    const directory = await mkdtemp(join(tmpdir(), "switchyard-bench-"));
    const proxy = plan.proxy ?? { cores: plan.cores.proxy, threads: 1 };
    try {
      const running = await target.start({ serverPorts: servers.ports, names: benchNames, directory, ...proxy });
      return new LiveTarget(running, directory);
    } catch (error) {
      await rm(directory, { recursive: true, force: true });
      throw error;
    }
  }

  async stop(): Promise<void> {
    await this.running.stop();
    await rm(this.#directory, { recursive: true, force: true });
  }
}
