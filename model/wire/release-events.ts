import type { Event as WireEvent } from "../../proto/gen/switchyard/config/v1/commits.ts";
import type * as wire from "../../proto/gen/switchyard/config/v1/releases.ts";
import type { ReleaseEvent, RolloutStart } from "../release-event.ts";
import { isRolloutName, isRolloutPolicyName, type RolloutName } from "../resource-name.ts";
import type { StagedRelease } from "../rollout-policy.ts";
import { type FieldReader, quoted } from "./field-reader.ts";
import { parseStagedRelease, policyWavesMax } from "./parse-rollout-policy.ts";
import { stagedReleaseToWire } from "./rollout-policy-to-wire.ts";
import { judgementToWire, parseFailedGate, parseJudgement, parseWaveNumber } from "./wave-judgement.ts";

type Fact = NonNullable<WireEvent["fact"]>;

/** The facts that are about rollouts. */
export type ReleaseFact = Exclude<Fact, { $case: "created" | "updated" | "deleted" }>;

export function isReleaseFact(fact: Fact): fact is ReleaseFact {
  return fact.$case !== "created" && fact.$case !== "updated" && fact.$case !== "deleted";
}

export function releaseFactToWire(event: ReleaseEvent): ReleaseFact {
  const { rollout } = event;
  switch (event.type) {
    case "rollout_started":
      return { $case: "rolloutStarted", value: rolloutStartedToWire(rollout, event.start) };
    case "wave_released": {
      const { wave, promoted } = event;
      return { $case: "waveReleased", value: { rollout, wave, judgement: judgementOf(event), promoted } };
    }
    case "rollout_paused": {
      const value = { rollout, failedGate: event.failedGate ?? "", judgement: judgementOf(event) };
      return { $case: "rolloutPaused", value };
    }
    case "rollout_resumed":
      return { $case: "rolloutResumed", value: { rollout } };
    case "rollout_completed": {
      const { promoted } = event;
      return { $case: "rolloutCompleted", value: { rollout, judgement: judgementOf(event), promoted } };
    }
    case "rollout_aborted":
      return { $case: "rolloutAborted", value: { rollout } };
    case "rollout_rolled_back": {
      const value = { rollout, failedGate: event.failedGate ?? "", judgement: judgementOf(event) };
      return { $case: "rolloutRolledBack", value };
    }
  }
}

/**
 * The reverse, of a commit at `revision`. What is wrong with the fact is kept by the reader, by field; the event is then not to
 * be used.
 */
export function parseReleaseFact(fact: ReleaseFact, revision: number, reader: FieldReader): ReleaseEvent {
  const rollout = parseRolloutName(fact.value.rollout, reader);
  const judgement = "judgement" in fact.value ? parseJudgement(fact.value.judgement, "judgement", reader) : null;
  const failedGate = "failedGate" in fact.value ? parseFailedGate(fact.value.failedGate, "failed_gate", reader) : null;
  switch (fact.$case) {
    case "rolloutStarted":
      return { type: "rollout_started", rollout, start: parseRolloutStart(fact.value, revision - 1, reader) };
    case "waveReleased": {
      const wave = parseWaveNumber(fact.value.wave, "wave", reader);
      return { type: "wave_released", rollout, wave, judgement, promoted: fact.value.promoted };
    }
    case "rolloutPaused":
      return { type: "rollout_paused", rollout, failedGate, judgement };
    case "rolloutResumed":
      return { type: "rollout_resumed", rollout };
    case "rolloutCompleted":
      return { type: "rollout_completed", rollout, judgement, promoted: fact.value.promoted };
    case "rolloutAborted":
      return { type: "rollout_aborted", rollout };
    case "rolloutRolledBack":
      return { type: "rollout_rolled_back", rollout, failedGate, judgement };
  }
}

export function rolloutStartedToWire(rollout: RolloutName, start: RolloutStart): wire.RolloutStarted {
  return {
    rollout,
    targetRevision: BigInt(start.targetRevision),
    targetDigest: start.targetDigest,
    policy: start.policy ?? "",
    staged: stagedReleaseToWire(start.staged),
    emergency: start.emergency,
  };
}

/** Without the rollout's name. A target beyond `revisionMax` is refused: nobody could ever run it. */
export function parseRolloutStart(
  message: wire.RolloutStarted,
  revisionMax: number,
  reader: FieldReader,
): RolloutStart {
  const { policy, staged, targetDigest, emergency } = message;
  if (targetDigest.length !== 32)
    reader.refuse("target_digest", "malformed", `${targetDigest.length} bytes are no digest: it has 32`);
  if (policy !== "" && !isRolloutPolicyName(policy))
    reader.refuse("policy", "malformed", `${quoted(policy)} is no name of a policy`);
  return {
    targetRevision: parseRevision(message.targetRevision, "target_revision", revisionMax, reader),
    // Copied: what decoding gives is a view that would keep the whole message alive.
    targetDigest: new Uint8Array(targetDigest),
    policy: isRolloutPolicyName(policy) ? policy : null,
    staged: parseRolloutStaged(staged, reader),
    emergency,
  };
}

/** A revision up to `max`, which is known. */
export function parseRevision(value: bigint, field: string, max: number, reader: FieldReader): number {
  if (value <= BigInt(max)) return Number(value);
  reader.refuse(field, "out_of_range", `revision ${value} is not there yet: there are ${max}`);
  return 0;
}

export function parseRolloutName(text: string, reader: FieldReader): RolloutName {
  if (isRolloutName(text)) return text;
  reader.refuse("rollout", "malformed", `${quoted(text)} is no name of a rollout`);
  return "rollouts/";
}

function parseRolloutStaged(message: wire.RolloutStarted["staged"], reader: FieldReader): StagedRelease {
  if (message === undefined) reader.refuse("staged", "required", "a rollout has waves");
  const absent = { waves: [], gates: undefined, onFailure: 0, startAutomatically: false } as const;
  return parseStagedRelease(message ?? { ...absent, waves: [] }, "staged", reader, policyWavesMax + 1);
}

function judgementOf({ judgement }: Extract<ReleaseEvent, { judgement: unknown }>): wire.WaveJudgement | undefined {
  return judgement === null ? undefined : judgementToWire(judgement);
}
