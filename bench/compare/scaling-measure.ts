import { Sink } from "./load-programs.ts";
import type { Figures } from "./measure.ts";
import { takeRate } from "./rate-measure.ts";
import { LiveTarget, type RoundOutcome, type RoundsPlan } from "./rounds.ts";
import type { Target } from "./target.ts";

const servers = 4;

/**
 * Two engine threads against one, in interleaved rounds. With four cores, connections a second. With fewer, generator
 * and engine share the two that there are, and connections a second would say how they share; what says how the engine
 * scales is then CPU time: two threads that get in each other's way need more of it for each connection. `timesOne` is
 * twice the ratio of the two.
 */
export async function takeScaling(target: Target, plan: RoundsPlan): Promise<RoundOutcome[]> {
  const sink = await Sink.start(servers, plan.cores.sink);
  const outcomes: RoundOutcome[] = [];
  try {
    for (let round = 0; round < plan.sizes.rounds; round += 1) {
      try {
        // In turn first and second, as the other measures rotate.
        const order = round % 2 === 0 ? [1, 2] : [2, 1];
        const taken = new Map<number, Figures>();
        for (const threads of order) taken.set(threads, await takeWith(threads, target, plan, sink));
        outcomes.push({ round, figures: compare(taken.get(1) as Figures, taken.get(2) as Figures, plan) });
      } catch (error) {
        const failure = error instanceof Error ? error.message : String(error);
        outcomes.push({ round, failure });
        plan.report(`scaling ${target.name} round ${round + 1}: ${failure}`);
      }
      if (!sink.running) throw new Error("the sink has ended; nothing can be measured without it");
    }
  } finally {
    await sink.stop();
  }
  plan.report(`scaling: ${plan.sizes.rounds} rounds`);
  return outcomes;
}

async function takeWith(threads: number, target: Target, plan: RoundsPlan, sink: Sink): Promise<Figures> {
  // With cores to spare one thread has one core; without, both runs share the same cores with the generator.
  const cores = plan.cores.pairIsApart ? plan.cores.pair.slice(0, threads) : plan.cores.pair;
  const live = await LiveTarget.start(target, { cores: plan.cores, proxy: { cores, threads } }, sink);
  try {
    const loadCores = plan.cores.pairIsApart ? plan.cores.load : plan.cores.pair;
    const run = {
      target: live.running,
      sink,
      sizes: plan.sizes,
      cores: { ...plan.cores, load: loadCores, proxy: cores },
    };
    await takeRate(run, Math.min(plan.sizes.rateSeconds, 0.5));
    return await takeRate(run, plan.sizes.rateSeconds);
  } finally {
    await live.stop();
  }
}

function compare(one: Figures, two: Figures, plan: RoundsPlan): Figures {
  const figure = (figures: Figures, name: string): number => figures[name] ?? Number.NaN;
  const byTime = (2 * figure(one, "cpuUsPerConnection")) / figure(two, "cpuUsPerConnection");
  const bySpeed = figure(two, "connectionsPerSecond") / figure(one, "connectionsPerSecond");
  return {
    timesOne: plan.cores.pairIsApart ? bySpeed : byTime,
    generatorApart: plan.cores.pairIsApart ? 1 : 0,
    cpuUsOneThread: figure(one, "cpuUsPerConnection"),
    cpuUsTwoThreads: figure(two, "cpuUsPerConnection"),
    connectionsPerSecondOneThread: figure(one, "connectionsPerSecond"),
    connectionsPerSecondTwoThreads: figure(two, "connectionsPerSecond"),
    coresBusyTwoThreads: figure(two, "proxyBusy"),
  };
}
