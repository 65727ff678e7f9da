import type { RolloutState as WireRolloutState } from "../../proto/gen/switchyard/config/v1/releases.ts";
import type * as wire from "../../proto/gen/switchyard/config/v1/releases.ts";
import type { ReleasedRevisions, ReleaseLayer, Releases } from "../releases.ts";
import {
  type RolloutDecision,
  type RolloutRecord,
  type RolloutState,
  rolloutStates,
  type RolloutStep,
  rolloutSteps,
} from "../rollout-record.ts";
import type { Violation } from "../violation.ts";
import { FieldReader, quoted } from "./field-reader.ts";
import { parseRolloutWave, policyWavesMax } from "./parse-rollout-policy.ts";
import { parseRevision, parseRolloutName, parseRolloutStart, rolloutStartedToWire } from "./release-events.ts";
import { waveToWire } from "./rollout-policy-to-wire.ts";
import { timestampMs, timestampToWire } from "./timestamp.ts";
import { judgementToWire, parseFailedGate, parseJudgement } from "./wave-judgement.ts";

/** As the header of a snapshot has them. */
export function releasesToWire(releases: Releases): wire.Releases {
  const { prior } = releases;
  return {
    baseRevision: BigInt(releases.base),
    layers: releases.layers.map(layerToWire),
    latestRevision: BigInt(releases.latest),
    staged: releases.staged,
    rollouts: releases.rollouts.map(recordToWire),
    prior: prior === null ? undefined : { baseRevision: BigInt(prior.base), layers: prior.layers.map(layerToWire) },
  };
}

export function recordToWire({ name, start, state, releasedWaves, decisions }: RolloutRecord): wire.RolloutRecord {
  return {
    started: rolloutStartedToWire(name, start),
    state: rolloutStateToWire(state),
    releasedWaves,
    decisions: decisions.map(decisionToWire),
  };
}

export function rolloutStateToWire(state: RolloutState): WireRolloutState {
  return (rolloutStates.indexOf(state) + 1) as WireRolloutState;
}

export function decisionToWire(decision: RolloutDecision): wire.RolloutDecision {
  const { step, revision, timeMs, author, reason, releasedWaves, promoted, failedGate, judgement } = decision;
  return {
    step,
    revision: BigInt(revision),
    time: timestampToWire(timeMs),
    author,
    reason,
    releasedWaves,
    promoted,
    failedGate: failedGate ?? "",
    judgement: judgement === null ? undefined : judgementToWire(judgement),
  };
}

/**
 * The reverse, as of `revision`. Undefined where anything was refused; `violations` then has a line for each, their fields below
 * `path`.
 */
export function parseReleases(
  message: wire.Releases,
  revision: number,
  path: string,
  violations: Violation[],
): Releases | undefined {
  const before = violations.length;
  const { base, layers } = parseReleasedRevisions(message, revision, path, violations);
  const rollouts = message.rollouts.map((record, index) =>
    parseRecord(record, revision, `${path}.rollouts[${index}]`, violations),
  );
  const { prior } = message;
  const releases: Releases = {
    base,
    layers,
    latest: parseRevision(message.latestRevision, "latest_revision", revision, new FieldReader(path, violations)),
    staged: message.staged,
    rollouts,
    prior: prior === undefined ? null : parseReleasedRevisions(prior, revision, `${path}.prior`, violations),
  };
  return violations.length === before ? releases : undefined;
}

function parseReleasedRevisions(
  message: wire.PriorRelease,
  revision: number,
  path: string,
  violations: Violation[],
): ReleasedRevisions {
  const base = parseRevision(message.baseRevision, "base_revision", revision, new FieldReader(path, violations));
  const layers = message.layers.map((layer, index) =>
    parseLayer(layer, revision, new FieldReader(`${path}.layers[${index}]`, violations)),
  );
  return { base, layers };
}

function layerToWire({ rollout, revision, waves }: ReleaseLayer): wire.ReleaseLayer {
  return { rollout, revision: BigInt(revision), waves: waves.map(waveToWire) };
}

function parseLayer(message: wire.ReleaseLayer, revision: number, reader: FieldReader): ReleaseLayer {
  return {
    rollout: parseRolloutName(message.rollout, reader),
    revision: parseRevision(message.revision, "revision", revision, reader),
    waves: message.waves.map((wave, index) => parseRolloutWave(wave, `waves[${index}]`, reader)),
  };
}

function parseRecord(
  message: wire.RolloutRecord,
  revision: number,
  path: string,
  violations: Violation[],
): RolloutRecord {
  const reader = new FieldReader(path, violations);
  const { started } = message;
  if (started === undefined) reader.refuse("started", "required", "a rollout has a start");
  const state = rolloutStates[message.state - 1];
  if (state === undefined) reader.refuse("state", "malformed", `${String(message.state)} is no state of a rollout`);
  const ofStart = new FieldReader(`${path}.started`, violations);
  return {
    name: parseRolloutName(started?.rollout ?? "", ofStart),
    start: parseRolloutStart(started ?? noStart, revision, ofStart),
    state: state ?? "aborted",
    releasedWaves: parseReleasedWaves(message.releasedWaves, reader),
    decisions: message.decisions.map((decision, index) =>
      parseDecision(decision, revision, new FieldReader(`${path}.decisions[${index}]`, violations)),
    ),
  };
}

const noStart: wire.RolloutStarted = {
  rollout: "",
  targetRevision: 0n,
  targetDigest: new Uint8Array(32),
  policy: "",
  staged: undefined,
  emergency: false,
};

function parseDecision(message: wire.RolloutDecision, revision: number, reader: FieldReader): RolloutDecision {
  const { time, author, reason, promoted } = message;
  if (time === undefined) reader.refuse("time", "required", "a decision has a time");
  return {
    step: parseStep(message.step, reader),
    revision: parseRevision(message.revision, "revision", revision, reader),
    timeMs: time === undefined ? 0 : timestampMs(time),
    author,
    reason,
    releasedWaves: parseReleasedWaves(message.releasedWaves, reader),
    promoted,
    failedGate: parseFailedGate(message.failedGate, "failed_gate", reader),
    judgement: parseJudgement(message.judgement, "judgement", reader),
  };
}

function parseStep(text: string, reader: FieldReader): RolloutStep {
  const step = rolloutSteps.find((each) => each === text);
  if (step === undefined) reader.refuse("step", "malformed", `${quoted(text)} is no step of a rollout`);
  return step ?? "started";
}

function parseReleasedWaves(value: number, reader: FieldReader): number {
  return reader.number("released_waves", value, { min: 0, max: policyWavesMax + 1, fallback: 0 });
}
