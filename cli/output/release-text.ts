import { releaseSentence } from "../../controlplane/decide/release-sentence.ts";
import type { Violation } from "../../model/violation.ts";
import { FieldReader } from "../../model/wire/field-reader.ts";
import { isReleaseFact, parseReleaseFact } from "../../model/wire/release-events.ts";
import type { ReleaseFact } from "../../model/wire/release-events.ts";
import type { Commit } from "../../proto/gen/switchyard/config/v1/commits.ts";

/** What a commit did to rollouts, a sentence each: as CommitInfo has it, for commits that came without one. */
export function releasesOf({ events, revision }: Pick<Commit, "events" | "revision">): string[] {
  return events.flatMap(({ fact }) =>
    fact !== undefined && isReleaseFact(fact) ? [releaseWords(fact, revision)] : [],
  );
}

/** A release event of a commit in the control plane's own words. */
export function releaseWords(fact: ReleaseFact, revision: bigint): string {
  const violations: Violation[] = [];
  const event = parseReleaseFact(fact, Number(revision), new FieldReader("", violations));
  // As with resources, what this version can't read is shown all the same.
  return violations.length === 0 ? releaseSentence(event) : `${fact.$case} of ${fact.value.rollout}`;
}

/** What a gate that failed adds to a sentence; nothing where an operator asked. */
export function gateClause(failedGate: string): string {
  return failedGate === "" ? "" : `: gate ${failedGate} failed`;
}
