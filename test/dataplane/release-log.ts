import type { Position, SealedCommit } from "../../model/commit.ts";
import { Configuration } from "../../model/configuration.ts";
import type { NodeIdentity } from "../../model/node-identity.ts";
import { effectiveRevision } from "../../model/releases.ts";
import { defaultRolloutPolicy, type RolloutName } from "../../model/resource-name.ts";
import { type RolloutWave, rolloutGatesDefaults, wholeFleet } from "../../model/rollout-policy.ts";
import { openCommit } from "../../model/wire/commit.ts";
import { written } from "../support/arbitrary-resource.ts";
import { HandMadeLog } from "./followed.ts";

/** A log that is written by hand, with rollouts in it. */
export class ReleaseLog extends HandMadeLog {
  #rollout: RolloutName = "rollouts/r0";

  /** From now on commits wait for a rollout. */
  stage(): SealedCommit {
    const resource = written({ rolloutPolicy: { name: defaultRolloutPolicy, staged: { waves: [{}] } } });
    return this.append({ type: "created", resource });
  }

  /** Starts a rollout, and releases its first wave. */
  release(targetRevision: number, waves: readonly RolloutWave[] = [wholeFleet]): SealedCommit {
    this.#rollout = `rollouts/r${this.head.revision + 1}`;
    const staged = { waves, gates: rolloutGatesDefaults, onFailure: "pause", startAutomatically: false } as const;
    const start = { targetRevision, targetDigest: new Uint8Array(32), policy: null, staged, emergency: false };
    return this.append(
      { type: "rollout_started", rollout: this.#rollout, start },
      { type: "wave_released", rollout: this.#rollout, wave: 0, judgement: null, promoted: false },
    );
  }

  releaseWave(wave: number): SealedCommit {
    return this.append({ type: "wave_released", rollout: this.#rollout, wave, judgement: null, promoted: false });
  }

  complete(): SealedCommit {
    return this.append({ type: "rollout_completed", rollout: this.#rollout, judgement: null, promoted: false });
  }

  rollBack(): SealedCommit {
    return this.append({ type: "rollout_rolled_back", rollout: this.#rollout, failedGate: null, judgement: null });
  }

  effective(identity: NodeIdentity): number {
    return effectiveRevision(identity, this.configuration.releases);
  }

  /** Folded from the start. */
  at(revision: number): Configuration {
    const configuration = new Configuration();
    for (const sealed of this.commits.slice(0, revision)) {
      const opened = openCommit(sealed);
      if ("fault" in opened) throw new Error(opened.detail);
      configuration.apply(opened.commit, opened.position);
    }
    return configuration;
  }

  position(revision: number): Position {
    return this.at(revision).position;
  }
}
