import type { Commit, Event } from "../../proto/gen/switchyard/config/v1/commits.ts";

type Fact = NonNullable<Event["fact"]>;
export type ReleaseFact = Exclude<Fact, { $case: "created" | "updated" | "deleted" }>;

/** What a commit did to rollouts, a sentence each, as CommitInfo has it; for commits that came without one. */
export function releasesOf({ events }: Commit): string[] {
  return events.flatMap(({ fact }) => (fact !== undefined && isRelease(fact) ? [releaseSentence(fact)] : []));
}

export function isRelease(fact: Fact): fact is ReleaseFact {
  return fact.$case !== "created" && fact.$case !== "updated" && fact.$case !== "deleted";
}

/** A release event in words. */
export function releaseSentence(fact: ReleaseFact): string {
  const { rollout } = fact.value;
  switch (fact.$case) {
    case "rolloutStarted": {
      const { targetRevision, staged, policy, emergency } = fact.value;
      if (emergency) return `${rollout} started: revision ${targetRevision} to all nodes at once, in an EMERGENCY`;
      const waves = staged?.waves.length ?? 0;
      const by = policy === "" ? "" : `, by ${policy}`;
      return `${rollout} started: revision ${targetRevision} in ${waves === 1 ? "1 wave" : `${waves} waves`}${by}`;
    }
    case "waveReleased":
      return `${rollout}: wave ${fact.value.wave + 1} released${fact.value.promoted ? ", promoted past its gates" : ""}`;
    case "rolloutPaused":
      return `${rollout} paused${gateClause(fact.value.failedGate)}`;
    case "rolloutResumed":
      return `${rollout} resumed`;
    case "rolloutCompleted":
      return `${rollout} completed${fact.value.promoted ? ", promoted past its gates" : ""}`;
    case "rolloutAborted":
      return `${rollout} aborted`;
    case "rolloutRolledBack":
      return `${rollout} rolled back${gateClause(fact.value.failedGate)}`;
  }
}

/** What a gate that failed adds to a sentence; nothing where an operator asked. */
export function gateClause(failedGate: string): string {
  return failedGate === "" ? "" : `: gate ${failedGate} failed`;
}
