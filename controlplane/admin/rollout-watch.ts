import { setTimeout } from "node:timers/promises";
import { sameBytes } from "../../model/commit.ts";
import {
  Rollout,
  type WatchRolloutRequest,
  type WatchRolloutResponse,
} from "../../proto/gen/switchyard/rollout/v1/rollout_service.ts";
import { lookAtLog } from "../fleet/look-at-log.ts";
import type { LiveConfiguration } from "../state/live-configuration.ts";
import type { Send } from "./handler.ts";
import { Refused } from "./refused.ts";
import type { RolloutScene } from "./rollout-scene.ts";

/** Streams of one control plane at once. */
const watchersMax = 100;

const intervalDefaultMs = 500;
const intervalMinMs = 100;
const intervalMaxMs = 3_600_000;

export interface WatchedRollout {
  readonly live: Pick<LiveConfiguration, "catchUp">;
  readonly scene: RolloutScene;
}

/** Counts the streams that are open. */
export class RolloutWatchers {
  #count = 0;

  /**
   * One stream. It has no queue: each look sends the rollout as it is by then, where that is not what was sent last. A reader that is
   * slow gets fewer looks, never older news. Ends with the rollout, once every reachable node is where it belongs.
   *
   * @throws Refused where there are too many, the interval is out of range, or there is no such rollout
   */
  async watch(
    { live, scene }: WatchedRollout,
    request: WatchRolloutRequest,
    send: Send<WatchRolloutResponse>,
    signal: AbortSignal,
  ): Promise<void> {
    const intervalMs = wantedIntervalMs(request);
    if (this.#count >= watchersMax) throw new Refused("TOO_MANY", `${watchersMax} watch rollouts already`);
    this.#count += 1;
    try {
      await lookAtLog(live);
      // The empty name stands for one rollout, not for whichever comes next.
      const { name } = scene.find(request.name);
      let sent: Uint8Array = new Uint8Array(0);
      while (!signal.aborted) {
        const record = scene.find(name);
        const rollout = scene.show(record);
        const isSettled = scene.isSettled(record);
        const bytes = Rollout.encode(rollout).finish();
        if (!sameBytes(bytes, sent)) await send({ rollout });
        sent = bytes;
        if (isSettled) return;
        await setTimeout(intervalMs, undefined, { signal }).catch(() => undefined);
        await lookAtLog(live);
      }
    } finally {
      this.#count -= 1;
    }
  }
}

function wantedIntervalMs({ minInterval }: WatchRolloutRequest): number {
  if (minInterval === undefined) return intervalDefaultMs;
  const ms = Number(minInterval.seconds) * 1000 + minInterval.nanos / 1e6;
  if (ms >= intervalMinMs && ms <= intervalMaxMs) return ms;
  const description = `${ms} ms; ${intervalMinMs} ms to an hour`;
  throw Refused.by("INVALID_FIELD", [{ field: "min_interval", reason: "out_of_range", description }]);
}
