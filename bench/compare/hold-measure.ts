import { countAccepted } from "./accepted-connections.ts";
import { checkedResult, type RateResult, runLoad, startLoad } from "./load-programs.ts";
import type { Figures, Measure, Run } from "./measure.ts";
import { readResidentBytes } from "./process-usage.ts";
import { until } from "./settle.ts";

const openWithinMs = 60_000;
const settleMs = 10_000;

/** Resident memory of connections that do nothing: whole pairs, or clients that have sent half of a hello. */
export function holdMeasure(name: "idle" | "half-hello"): Measure {
  return {
    name,
    freshProcess: true,
    includesDirect: false,
    /** A few connections one after the other: what is set up once for all is then no part of the difference. */
    async warmUp(run: Run): Promise<void> {
      const options = { seconds: 5, connections: 200, concurrency: 2 };
      await runLoad<RateResult>("rate", run.target.ports, options, run.cores.load);
      await until("the servers' connections have ended", settleMs, async () => (await run.sink.counters()).live === 0);
    },
    take: (run: Run): Promise<Figures> => takeHold(name, run),
  };
}

async function takeHold(name: "idle" | "half-hello", run: Run): Promise<Figures> {
  const { pid, ports } = run.target;
  const [port] = ports;
  if (pid === undefined || port === undefined) throw new Error("memory is measured of a process");
  const connections = name === "idle" ? run.sizes.idleConnections : run.sizes.halfHelloConnections;
  const residentBefore = readResidentBytes(pid);
  const holder = startLoad(name, run.target.ports, { connections }, run.cores.load);
  try {
    const held = await holder.nextLine(openWithinMs);
    if (held["connections"] !== connections) {
      throw new Error(`${String(held["connections"])} of ${connections} connections could be opened`);
    }
    // A kernel's queue would take connections as well; that the proxy has them is asked of the kernel.
    await until(`the proxy has accepted ${connections}`, settleMs, () => countAccepted(port) === connections);
    const resident = readResidentBytes(pid);
    holder.endInput();
    checkedResult(await holder.nextLine(settleMs), await holder.ended);
    return { bytesPerConnection: (resident - residentBefore) / connections, residentBytesBefore: residentBefore };
  } finally {
    await holder.stop();
  }
}
