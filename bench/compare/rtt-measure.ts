import { type RttResult, runLoad } from "./load-programs.ts";
import { type Figures, type Measure, type Run, rttStreams } from "./measure.ts";
import { ProxyAccount } from "./proxy-account.ts";

/** 64-byte messages there and back, one in flight on each stream. */
export const rttMeasure: Measure = {
  name: "rtt",
  freshProcess: false,
  includesDirect: true,
  async warmUp(run: Run): Promise<void> {
    await load(run, 0.1);
  },
  async take(run: Run): Promise<Figures> {
    const account = ProxyAccount.open(run);
    const result = await load(run, run.sizes.rttSeconds);
    const figures = {
      roundTripsPerSecond: result.perSecond,
      latencyP50Us: result.latencyUs.p50,
      latencyP99Us: result.latencyUs.p99,
      latencyP999Us: result.latencyUs.p999,
    };
    if (account === undefined) return figures;
    const { used, proxyBusy, othersOnCore } = account.close();
    return { ...figures, cpuUsPerRoundTrip: used.cpuNs / 1000 / result.roundTrips, proxyBusy, othersOnCore };
  },
};

function load(run: Run, seconds: number): Promise<RttResult> {
  return runLoad<RttResult>("rtt", run.target.ports, { seconds, streams: rttStreams }, run.cores.load);
}
