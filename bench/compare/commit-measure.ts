import { setTimeout as delay } from "node:timers/promises";
import { type RateResult, type RttResult, runLoad } from "./load-programs.ts";
import { type Figures, type Measure, type Run, rateConcurrency, rttStreams } from "./measure.ts";
import type { AppliedRoutes } from "./target.ts";

/** Far below what an engine carries, so that a quiet run's latencies are those of the engine and not of a queue. */
const roundTripsPerSecond = 4000;
const connectionsPerSecond = 200;

/** The commit that the goal names. */
const routesPerCommit = 100_000;

/** One begins each second while the load goes on, where the one before is applied by then. */
const commitIntervalMs = 1000;

/**
 * Latency while large commits are applied, against latency without. Both loads are on a schedule and measured from the
 * time when each message was due, so that a stall is counted for all who had to wait.
 */
export const commitMeasure: Measure = {
  name: "commit",
  freshProcess: true,
  includesDirect: false,
  async warmUp(run: Run): Promise<void> {
    await load(run, 0.5);
  },
  async take(run: Run): Promise<Figures> {
    const { applyRoutes, prepareRoutes } = run.target;
    if (applyRoutes === undefined || prepareRoutes === undefined) throw new Error("this target applies no commits");
    const commitsMax = Math.ceil((run.sizes.commitSeconds * 1000) / commitIntervalMs);
    await prepareRoutes(routesPerCommit, commitsMax);
    const quiet = await load(run, run.sizes.commitSeconds);
    const applied: AppliedRoutes[] = [];
    let over = false;
    const commits = async (): Promise<void> => {
      while (!over && applied.length < commitsMax) {
        const next = delay(commitIntervalMs);
        applied.push(await applyRoutes());
        await next;
      }
    };
    const committing = commits();
    const busy = await load(run, run.sizes.commitSeconds).finally(() => {
      over = true;
    });
    await committing;
    const last = applied.at(-1) as AppliedRoutes;
    return {
      appliedMs: Math.max(...applied.map((one) => one.appliedMs)),
      commits: applied.length,
      turnMaxMs: Math.max(...applied.map((one) => one.turnMaxMs)),
      tableBytesPerName: last.tableBytes / last.routes,
      latencyP999QuietUs: quiet.rtt.latencyUs.p999,
      latencyP999Us: busy.rtt.latencyUs.p999,
      latencyP999Ratio: busy.rtt.latencyUs.p999 / quiet.rtt.latencyUs.p999,
      latencyMaxUs: busy.rtt.latencyUs.max,
      connectionP99QuietMs: quiet.rate.latencyUs.p99 / 1000,
      connectionP99Ms: busy.rate.latencyUs.p99 / 1000,
    };
  },
};

async function load(run: Run, seconds: number): Promise<{ readonly rtt: RttResult; readonly rate: RateResult }> {
  const { ports } = run.target;
  const messages = { seconds, streams: rttStreams, pace: roundTripsPerSecond };
  const connections = { seconds, concurrency: rateConcurrency, pace: connectionsPerSecond };
  const [rtt, rate] = await Promise.all([
    runLoad<RttResult>("rtt", ports, messages, run.cores.load),
    runLoad<RateResult>("rate", ports, connections, run.cores.load),
  ]);
  return { rtt, rate };
}
