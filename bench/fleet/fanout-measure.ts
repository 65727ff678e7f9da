import { setTimeout as delay } from "node:timers/promises";
import { readUsage } from "../compare/process-usage.ts";
import type { FleetMeasure } from "./fleet-measure.ts";
import { FollowerFleet } from "./follower-fleet.ts";
import { initStreams, startWithBase } from "./nats-log.ts";
import { natsObstacle, NatsServer } from "./nats-server.ts";
import { swapLatency } from "./swap-latency.ts";

const joinWithinMs = 60_000;

/** Nothing is committed for so long: what a fleet costs that has nothing to do. */
const quietMs = 3000;

/** How long after its acknowledgement a commit is in force on every node of a large fleet. */
export const fanoutMeasure: FleetMeasure = {
  name: "fanout",
  title: "a commit acknowledged, until the tables of all followers are swapped",
  obstacle: natsObstacle,
  async take({ bed, sizes, index }) {
    const server = await NatsServer.start(bed, { name: "nats" });
    await initStreams(bed, server);
    const { api, revision } = await startWithBase(bed, server);
    const fleet = new FollowerFleet(bed, server.url, sizes.followers, 0);
    await fleet.current(revision, joinWithinMs);
    const quietCores = await coresUsed(quietMs);
    const figures = await swapLatency(api, [fleet], sizes.fanoutCommits, sizes.seed + index);
    return { followers: sizes.followers, ...figures, quietCores };
  },
};

/** Cores that the bench and all its processes are busy on. */
async function coresUsed(durationMs: number): Promise<number> {
  const before = readUsage(process.pid).cpuNs;
  const startedMs = performance.now();
  await delay(durationMs);
  return (readUsage(process.pid).cpuNs - before) / 1e6 / (performance.now() - startedMs);
}
