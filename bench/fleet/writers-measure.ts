import type { Figures } from "../compare/measure.ts";
import { readUsage, usageBetween } from "../compare/process-usage.ts";
import { quantile } from "../compare/statistics.ts";
import { AdminApi } from "./admin-api.ts";
import { benchRoute } from "./bench-configuration.ts";
import type { FleetMeasure, FleetSizes } from "./fleet-measure.ts";
import { initStreams, startReplica, startWithBase } from "./nats-log.ts";
import { natsObstacle, NatsServer } from "./nats-server.ts";
import { checkStream } from "./stream-check.ts";

/** Calls that each replica has under way: enough that it never waits for one, more would only queue. */
const callsPerReplica = 4;

const warmUpMs = 3000;

/** What was acknowledged: by request id, the revision. */
type Acknowledged = Map<string, number>;

/** How many commits a second replicas make which all write at once. */
export const writersMeasure: FleetMeasure = {
  name: "writers",
  title: "commits a second, several replicas writing at once",
  obstacle: natsObstacle,
  async take({ bed, sizes }): Promise<Figures> {
    const server = await NatsServer.start(bed, { name: "nats" });
    await initStreams(bed, server);
    const { api } = await startWithBase(bed, server);
    const apis = [api];
    for (let replica = 2; replica <= sizes.writers; replica += 1) {
      const { address } = await startReplica(bed, server, `replica-${replica}`);
      const another = new AdminApi(address);
      bed.atEnd(() => another.close());
      apis.push(another);
    }
    const acknowledged: Acknowledged = new Map();
    await writeFor(apis, warmUpMs, "warm", acknowledged);
    const { latencies, seconds, slowestReplica, cpuNs } = await timed(apis, sizes, acknowledged);
    const revisions = await checkStream(server.url, acknowledged);
    return {
      commitsPerSecond: latencies.length / seconds,
      commitP50Ms: quantile(latencies, 0.5),
      commitP99Ms: quantile(latencies, 0.99),
      slowestReplicaPerSecond: slowestReplica / seconds,
      // Of all replicas, the server and the callers: what a commit costs, however busy the machine is.
      cpuMsPerCommit: cpuNs / 1e6 / latencies.length,
      acknowledged: acknowledged.size,
      revisions,
    };
  },
};

async function timed(apis: readonly AdminApi[], { writeSeconds }: FleetSizes, acknowledged: Acknowledged) {
  const before = readUsage(process.pid);
  const startedMs = performance.now();
  const byReplica = await writeFor(apis, writeSeconds * 1000, "timed", acknowledged);
  const seconds = (performance.now() - startedMs) / 1000;
  const slowestReplica = Math.min(...byReplica.map((latencies) => latencies.length));
  const { cpuNs } = usageBetween(before, readUsage(process.pid));
  return { latencies: byReplica.flat(), seconds, slowestReplica, cpuNs };
}

/** Every replica writes, each call a route of its own, until the time is over. Answers how long each call took. */
async function writeFor(
  apis: readonly AdminApi[],
  durationMs: number,
  name: string,
  acknowledged: Acknowledged,
): Promise<readonly (readonly number[])[]> {
  const endMs = performance.now() + durationMs;
  const write = async (api: AdminApi, replica: number, call: number, latencies: number[]): Promise<void> => {
    const route = 1 + replica * callsPerReplica + call;
    for (let index = 0; performance.now() < endMs; index += 1) {
      const calledMs = performance.now();
      const requestId = `${name}-${route}-${index}`;
      acknowledged.set(requestId, await api.apply([benchRoute(route, Math.round(calledMs * 1000))], requestId));
      latencies.push(performance.now() - calledMs);
    }
  };
  return Promise.all(
    apis.map(async (api, replica) => {
      const latencies: number[] = [];
      const calls = Array.from({ length: callsPerReplica }, (_, call) => write(api, replica, call, latencies));
      await Promise.all(calls);
      return latencies;
    }),
  );
}
