import type { WaveJudgement } from "../../model/release-event.ts";
import type { RolloutName } from "../../model/resource-name.ts";

/** What a replica sees of the wave that was released last. Every replica looks; only the one with the lease acts. */
export interface RolloutSight {
  readonly rollout: RolloutName;
  readonly wave: number;
  readonly phase: "applying" | "baking" | "failed";
  /** Until the deadline, or until the bake time is over; null while the rollout is paused. */
  readonly remainingMs: number | null;
  readonly judgement: WaveJudgement;
  /** This replica has the lease. */
  readonly leads: boolean;
}
