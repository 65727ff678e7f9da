import { setTimeout as delay } from "node:timers/promises";
import type { Figures } from "../compare/measure.ts";
import { median, quantile } from "../compare/statistics.ts";
import { seededRandom } from "../../test/support/seeded-random.ts";
import type { AdminApi } from "./admin-api.ts";
import { benchRoute } from "./bench-configuration.ts";
import type { FollowerFleet } from "./follower-fleet.ts";
import { sharedNowMs } from "./one-clock.ts";

const swapWithinMs = 20_000;

/** Before any is measured, so that code is compiled. */
const warmUpCommits = 20;

/** Between two commits: so short and so uneven that none meets the followers' own timers always at the same place. */
const pauseMinMs = 40;
const pauseMaxMs = 120;

/**
 * Commits one after another, each once all followers have the one before. A follower's time counts from the answer of
 * the admin API to its caller; one that was faster than the answer counts as 0. `calledP99Ms` counts from the call.
 */
export async function swapLatency(
  api: AdminApi,
  fleets: readonly FollowerFleet[],
  commits: number,
  seed: number,
): Promise<Figures> {
  const random = seededRandom(seed);
  const fromAnswer: number[] = [];
  const fromCall: number[] = [];
  const toLast: number[] = [];
  const acks: number[] = [];
  for (let index = 0; index < warmUpCommits + commits; index += 1) {
    await delay(pauseMinMs + random() * (pauseMaxMs - pauseMinMs));
    const calledMs = sharedNowMs();
    const revision = await api.apply([benchRoute(index % 10, index)], `swap-${index}`);
    const answeredMs = sharedNowMs();
    const swaps = (await Promise.all(fleets.map((fleet) => fleet.swapped(revision, swapWithinMs)))).flat();
    if (index < warmUpCommits) continue;
    acks.push(answeredMs - calledMs);
    for (const swapMs of swaps) {
      fromAnswer.push(Math.max(0, swapMs - answeredMs));
      fromCall.push(swapMs - calledMs);
    }
    toLast.push(Math.max(0, swaps.reduce((last, swapMs) => Math.max(last, swapMs), 0) - answeredMs));
  }
  return {
    p50Ms: quantile(fromAnswer, 0.5),
    p99Ms: quantile(fromAnswer, 0.99),
    lastFollowerMedianMs: median(toLast),
    calledP50Ms: quantile(fromCall, 0.5),
    calledP99Ms: quantile(fromCall, 0.99),
    ackP50Ms: quantile(acks, 0.5),
    commits,
  };
}
