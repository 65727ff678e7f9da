import { setTimeout as delay } from "node:timers/promises";
import type { AdminApi } from "./admin-api.ts";
import { benchRoute } from "./bench-configuration.ts";
import type { FleetMeasure } from "./fleet-measure.ts";
import { FollowerFleet } from "./follower-fleet.ts";
import { initStreams, startWithBase } from "./nats-log.ts";
import { natsObstacle, NatsServer } from "./nats-server.ts";
import { sharedNowMs } from "./one-clock.ts";

const joinWithinMs = 60_000;
const recoverWithinMs = 60_000;

/** How long the server is gone: until every connection is known to be lost. */
const downMs = 1000;
const retryMs = 20;

/** How soon a fleet is current again after its server was killed. */
export const restartMeasure: FleetMeasure = {
  name: "restart",
  title: "kill -9 of NATS and its restart, until all followers have a commit that came after it",
  obstacle: natsObstacle,
  async take({ bed, sizes }) {
    const server = await NatsServer.start(bed, { name: "nats" });
    await initStreams(bed, server);
    const { api, revision } = await startWithBase(bed, server);
    const fleet = new FollowerFleet(bed, server.url, sizes.followers, 0);
    await fleet.current(revision, joinWithinMs);
    const before = await api.apply([benchRoute(1, 1)], "before");
    await fleet.current(before, joinWithinMs);
    await server.kill();
    await delay(downMs);
    const startedMs = sharedNowMs();
    await server.begin();
    const listeningMs = sharedNowMs();
    const after = await committed(api);
    const acknowledgedMs = sharedNowMs();
    const swaps = await fleet.swapped(after, recoverWithinMs);
    await fleet.current(after, recoverWithinMs);
    const lastMs = swaps.reduce((last, swapMs) => Math.max(last, swapMs), 0);
    return {
      followers: sizes.followers,
      currentMs: lastMs - startedMs,
      currentSinceListeningMs: lastMs - listeningMs,
      firstCommitMs: acknowledgedMs - startedMs,
    };
  },
};

/** The first commit that is taken again; under one request id, so that a lost answer makes no second one. */
async function committed(api: AdminApi): Promise<number> {
  const deadline = performance.now() + recoverWithinMs;
  for (;;) {
    try {
      return await api.apply([benchRoute(2, 2)], "after");
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await delay(retryMs);
    }
  }
}
