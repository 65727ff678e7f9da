import type { StagedRelease } from "./rollout-policy.ts";
import type { RolloutName, RolloutPolicyName } from "./resource-name.ts";

/** Facts about which nodes run which revision. What a field means stands in `releases.proto`. */
export type ReleaseEvent =
  | { readonly type: "rollout_started"; readonly rollout: RolloutName; readonly start: RolloutStart }
  | {
      readonly type: "wave_released";
      readonly rollout: RolloutName;
      readonly wave: number;
      readonly judgement: WaveJudgement | null;
      readonly promoted: boolean;
    }
  | {
      readonly type: "rollout_paused";
      readonly rollout: RolloutName;
      readonly failedGate: GateName | null;
      readonly judgement: WaveJudgement | null;
    }
  | { readonly type: "rollout_resumed"; readonly rollout: RolloutName }
  | {
      readonly type: "rollout_completed";
      readonly rollout: RolloutName;
      readonly judgement: WaveJudgement | null;
      readonly promoted: boolean;
    }
  | { readonly type: "rollout_aborted"; readonly rollout: RolloutName }
  | {
      readonly type: "rollout_rolled_back";
      readonly rollout: RolloutName;
      readonly failedGate: GateName | null;
      readonly judgement: WaveJudgement | null;
    };

/** What a rollout's course depends on. */
export interface RolloutStart {
  readonly targetRevision: number;
  /** Digest of the configuration there: 32 bytes. */
  readonly targetDigest: Uint8Array;
  /** Null where it was taken from no policy. */
  readonly policy: RolloutPolicyName | null;
  /** Its waves take every node. */
  readonly staged: StagedRelease;
  readonly emergency: boolean;
}

export const gateNames = [
  "applied",
  "refused",
  "digest",
  "lost",
  "connect_failures",
  "handshake_failures",
  "healthy_servers",
] as const;
export type GateName = (typeof gateNames)[number];

export const gateOutcomes = ["passed", "failed", "waiting", "inconclusive"] as const;
export type GateOutcome = (typeof gateOutcomes)[number];

/** How a wave stood when something was decided about it. */
export interface WaveJudgement {
  readonly wave: number;
  readonly counts: WaveCounts;
  readonly gates: readonly GateFigure[];
}

export interface WaveCounts {
  readonly nodes: number;
  readonly reachable: number;
  readonly applied: number;
  readonly refused: number;
  readonly lost: number;
  readonly crashed: number;
  readonly different: number;
}

export interface GateFigure {
  readonly gate: GateName;
  readonly outcome: GateOutcome;
  /** A share from 0 to 1, or a count for `refused` and `digest`. */
  readonly observed: number;
  readonly limit: number;
  readonly sample: number;
  readonly controlSample: number;
  /** 1 where no test was made. */
  readonly pValue: number;
  readonly detail: string;
}
