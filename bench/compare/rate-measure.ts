import { type RateResult, runLoad, type Sink } from "./load-programs.ts";
import { type Figures, type Measure, type Run, rateConcurrency } from "./measure.ts";
import { ProxyAccount } from "./proxy-account.ts";
import { until } from "./settle.ts";

const settleMs = 5000;

/** Short connections: accept, hello, connect, the server's flight, close. */
export const rateMeasure: Measure = {
  name: "rate",
  freshProcess: false,
  includesDirect: true,
  async warmUp(run: Run): Promise<void> {
    await load(run, Math.min(run.sizes.rateSeconds, 0.5));
  },
  take: (run: Run): Promise<Figures> => takeRate(run, run.sizes.rateSeconds),
};

/**
 * One run. CPU time is read before the first connection and after the last one is gone on both sides, so that it and
 * the count are of exactly the same connections.
 */
export async function takeRate(run: Run, seconds: number): Promise<Figures> {
  const account = ProxyAccount.open(run);
  const acceptedBefore = (await run.sink.counters()).accepted;
  const result = await load(run, seconds);
  await checkArrivals(run.sink, acceptedBefore, result.connections);
  const figures = {
    connectionsPerSecond: result.perSecond,
    latencyP50Us: result.latencyUs.p50,
    latencyP99Us: result.latencyUs.p99,
  };
  if (account === undefined) return figures;
  const { used, proxyBusy, othersOnCore } = account.close();
  return {
    ...figures,
    cpuUsPerConnection: used.cpuNs / 1000 / result.connections,
    userUsPerConnection: used.userNs / 1000 / result.connections,
    sleepsPerConnection: used.sleeps / result.connections,
    proxyBusy,
    othersOnCore,
  };
}

function load(run: Run, seconds: number): Promise<RateResult> {
  const options = { seconds, concurrency: rateConcurrency };
  return runLoad<RateResult>("rate", run.target.ports, options, run.cores.load);
}

/** Every connection reached a server once, and has ended there as well: none was answered by anyone else. */
async function checkArrivals(sink: Sink, acceptedBefore: number, connections: number): Promise<void> {
  await until("the servers' connections have ended", settleMs, async () => (await sink.counters()).live === 0);
  const arrived = (await sink.counters()).accepted - acceptedBefore;
  if (arrived !== connections) throw new Error(`${connections} connections were made, and ${arrived} reached a server`);
}
