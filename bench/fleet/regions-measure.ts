import type { FleetMeasure } from "./fleet-measure.ts";
import { FollowerFleet } from "./follower-fleet.ts";
import { initStreams, startWithBase } from "./nats-log.ts";
import { natsObstacle, NatsServer } from "./nats-server.ts";
import { swapLatency } from "./swap-latency.ts";

const joinWithinMs = 60_000;

/** The same as `fanoutMeasure` for nodes that know only their region's server. */
export const regionsMeasure: FleetMeasure = {
  name: "regions",
  title: "the same for followers in two regions, behind leaf servers",
  obstacle: natsObstacle,
  async take({ bed, sizes, index }) {
    const hub = await NatsServer.start(bed, { name: "hub", hub: true });
    const regions = [
      await NatsServer.start(bed, { name: "east", leafOf: hub }),
      await NatsServer.start(bed, { name: "west", leafOf: hub }),
    ];
    await initStreams(bed, hub);
    for (const region of regions) await initStreams(bed, region, hub);
    const { api, revision } = await startWithBase(bed, hub);
    const { followersPerRegion } = sizes;
    const fleets = regions.map(
      (region, place) => new FollowerFleet(bed, region.url, followersPerRegion, place * followersPerRegion),
    );
    for (const fleet of fleets) await fleet.current(revision, joinWithinMs);
    const figures = await swapLatency(api, fleets, sizes.regionCommits, sizes.seed + index);
    return { followers: followersPerRegion * fleets.length, ...figures };
  },
};
