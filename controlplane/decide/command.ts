import type { ResourceSet } from "../../model/difference.ts";
import type { GateName, WaveJudgement } from "../../model/release-event.ts";
import type { ResourceName, RolloutName, RolloutPolicyName } from "../../model/resource-name.ts";
import type { Resource } from "../../model/resource.ts";
import type { Violation } from "../../model/violation.ts";

/** A resource that a command wants, and where it stands in the request. */
export interface Wish {
  readonly resource: Resource;
  /** Path of the resource's message in the request, for violations: `farm`, `resources[3].farm`. */
  readonly path: string;
  /** The etag that the stored resource must have; empty for any. */
  readonly etag: string;
}

/** What an operator asks for. */
export type Command =
  | { readonly type: "create"; readonly wish: Wish }
  | { readonly type: "update"; readonly wish: Wish }
  /** `force` also deletes what is inside: a listener's routes, a farm's servers. */
  | { readonly type: "delete"; readonly name: ResourceName; readonly etag: string; readonly force: boolean }
  /** `prune` also deletes every resource that is not wished for. */
  | { readonly type: "apply"; readonly wishes: readonly Wish[]; readonly prune: boolean }
  /** Makes the configuration what `target` is. */
  | { readonly type: "revert"; readonly target: ResourceSet }
  | { readonly type: "rollout"; readonly step: RolloutStepWish };

/** A step of a rollout; `rollout` null is the one that is under way, for a roll back the newest. */
export type RolloutStepWish =
  | {
      readonly step: "start";
      /** Null: the newest revision that changed the configuration. */
      readonly target: { readonly revision: number; readonly digest: Uint8Array } | null;
      /** Null: the default policy. */
      readonly policy: RolloutPolicyName | null;
    }
  /** To all nodes at once, past everything. */
  | {
      readonly step: "emergency";
      readonly target: { readonly revision: number; readonly digest: Uint8Array } | null;
    }
  /** The controller's: the gates of the wave before have passed. Of the last wave's it is `complete`. */
  | {
      readonly step: "release_wave";
      readonly rollout: RolloutName;
      readonly wave: number;
      readonly judgement: WaveJudgement | null;
    }
  | { readonly step: "complete"; readonly rollout: RolloutName; readonly judgement: WaveJudgement | null }
  | {
      readonly step: "pause" | "roll_back";
      readonly rollout: RolloutName | null;
      readonly failedGate: GateName | null;
      readonly judgement: WaveJudgement | null;
    }
  | { readonly step: "resume" | "abort"; readonly rollout: RolloutName | null }
  /** An operator's: the next wave, or all that are left, and then complete. */
  | {
      readonly step: "promote";
      readonly rollout: RolloutName | null;
      readonly full: boolean;
      readonly judgement: WaveJudgement | null;
    };

/** Why a command is refused as a whole. */
export type RefusalReason =
  /** A field can't be taken, whatever the configuration is. */
  | "INVALID_FIELD"
  /** It does not fit the configuration as it is: references, conflicts, things in use. */
  | "CONFIGURATION_CONFLICT"
  | "NOT_FOUND"
  | "ALREADY_EXISTS"
  /** The stored resource is not the one that the client saw. */
  | "ETAG_MISMATCH"
  /** Another rollout is under way; it has to end first. */
  | "ROLLOUT_UNDER_WAY"
  /** The rollout is not in a state in which that can be done. */
  | "ROLLOUT_STATE"
  /** Every node runs that revision already. */
  | "NOTHING_TO_RELEASE";

export interface Refusal {
  readonly refused: RefusalReason;
  readonly violations: readonly Violation[];
}
