import { type BulkResult, runLoad, type SinkCounters } from "./load-programs.ts";
import { bulkStreams, type Figures, type Measure, type Run } from "./measure.ts";
import { ProxyAccount } from "./proxy-account.ts";
import { until } from "./settle.ts";

const settleMs = 5000;
const verifySeconds = 0.2;

/** Streams that carry bytes both ways at once, as fast as they go. */
export const bulkMeasure: Measure = {
  name: "bulk",
  freshProcess: false,
  includesDirect: true,
  /** Every byte is compared here, on both sides; the rounds then only count them. */
  async warmUp(run: Run): Promise<void> {
    const before = await run.sink.counters();
    const result = await runLoad<BulkResult>(
      "bulk",
      run.target.ports,
      { seconds: verifySeconds, streams: 4, direction: "verify" },
      run.cores.load,
    );
    await checkTransfer(run, before, result);
  },
  async take(run: Run): Promise<Figures> {
    const account = ProxyAccount.open(run);
    const before = await run.sink.counters();
    const result = await runLoad<BulkResult>(
      "bulk",
      run.target.ports,
      { seconds: run.sizes.bulkSeconds, streams: bulkStreams, direction: "both" },
      run.cores.load,
    );
    const after = await checkTransfer(run, before, result);
    const bytes = result.bytesReceived + (after.bytesReceived - before.bytesReceived);
    const figures = {
      // Both directions together; each byte counted once, where it arrives.
      bytesPerSecond: bytes / result.seconds,
      bytesPerSecondToClients: result.bytesReceived / result.seconds,
    };
    if (account === undefined) return figures;
    const { used, proxyBusy, othersOnCore } = account.close();
    return { ...figures, cpuNsPerKiB: used.cpuNs / (bytes / 1024), proxyBusy, othersOnCore };
  },
};

/** What each side sent, the other has. */
async function checkTransfer(run: Run, before: SinkCounters, result: BulkResult): Promise<SinkCounters> {
  await until("the servers' streams have ended", settleMs, async () => (await run.sink.counters()).live === 0);
  const after = await run.sink.counters();
  const toServers = after.bytesReceived - before.bytesReceived;
  const fromServers = after.bytesSent - before.bytesSent;
  if (toServers !== result.bytesSent)
    throw new Error(`clients sent ${result.bytesSent} bytes, and ${toServers} arrived`);
  if (fromServers !== result.bytesReceived)
    throw new Error(`servers sent ${fromServers} bytes, and ${result.bytesReceived} arrived`);
  if (after.payloadFaults !== before.payloadFaults) throw new Error("bytes arrived at a server that nobody sent");
  if (after.resets !== before.resets) throw new Error("streams were reset at a server");
  return after;
}
