import type { FleetMeasure } from "./fleet-measure.ts";
import { FollowerFleet } from "./follower-fleet.ts";
import { initStreams, startWithBase } from "./nats-log.ts";
import { natsObstacle, NatsServer } from "./nats-server.ts";
import { swapLatency } from "./swap-latency.ts";

const joinWithinMs = 60_000;

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
    const figures = await swapLatency(api, [fleet], sizes.fanoutCommits, sizes.seed + index);
    return { followers: sizes.followers, ...figures };
  },
};
