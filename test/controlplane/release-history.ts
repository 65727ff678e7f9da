import { sha256 } from "@noble/hashes/sha2.js";
import type { Commit } from "../../model/commit.ts";
import { Configuration } from "../../model/configuration.ts";
import type { LogEvent } from "../../model/event.ts";
import { type RolloutWave, rolloutGatesDefaults, type StagedRelease, wholeFleet } from "../../model/rollout-policy.ts";
import { defaultRolloutPolicy, type RolloutPolicyName } from "../../model/resource-name.ts";
import type { RolloutPolicy } from "../../model/resource.ts";
import type { Refusal, RolloutStepWish } from "../../controlplane/decide/command.ts";
import { ConfigurationIndex } from "../../controlplane/decide/configuration-index.ts";
import { type Decision, decide } from "../../controlplane/decide/decide.ts";

export const staged = (...waves: readonly Partial<RolloutWave>[]): StagedRelease => ({
  waves: waves.map((wave) => ({ ...wholeFleet, ...wave })),
  gates: rolloutGatesDefaults,
  onFailure: "roll_back",
  startAutomatically: false,
});

export const policy = (
  release: StagedRelease | null,
  name: RolloutPolicyName = defaultRolloutPolicy,
): RolloutPolicy => ({ kind: "rolloutPolicy", name, staged: release });

/** A log in memory, folded: what is decided is committed at once. */
export class ReleaseHistory {
  readonly configuration = new Configuration();
  /** Of commits that changed the configuration. */
  readonly configRevisions: number[] = [];

  get head(): number {
    return this.configuration.position.revision;
  }

  get releases() {
    return this.configuration.releases;
  }

  commit(...events: readonly LogEvent[]): void {
    const { epoch, hash: parentHash, revision: before } = this.configuration.position;
    const revision = before + 1;
    const commit: Commit = {
      epoch,
      revision,
      parentHash,
      requestId: `request-${revision}`,
      requestDigest: new Uint8Array(32),
      author: "an operator",
      reason: "",
      timeMs: revision,
      events,
    };
    const hash = sha256(new TextEncoder().encode(`commit ${revision}`));
    this.configuration.apply(commit, { epoch, revision, hash });
  }

  /** A commit that changes the configuration: another policy beside the others, whose waves say when. */
  change(): void {
    const title = `change ${this.head + 1}`;
    this.#configure(policy(staged({ title }), "rolloutPolicies/changed"));
  }

  /** The default policy; undefined deletes it. */
  setDefault(release: StagedRelease | null | undefined): void {
    if (release !== undefined) return this.#configure(policy(release));
    this.configRevisions.push(this.head + 1);
    this.commit({ type: "deleted", name: defaultRolloutPolicy });
  }

  ask(step: RolloutStepWish): Decision | Refusal {
    const state = { configuration: this.configuration, index: new ConfigurationIndex() };
    const decision = decide(state, { type: "rollout", step });
    if (!("refused" in decision)) this.commit(...decision.releases);
    return decision;
  }

  #configure(resource: RolloutPolicy): void {
    this.configRevisions.push(this.head + 1);
    const type = this.configuration.resource(resource.name) === undefined ? "created" : "updated";
    this.commit({ type, resource });
  }
}
