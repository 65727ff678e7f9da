import { OnGateFailure } from "../../proto/gen/switchyard/config/v1/resources.ts";
import type * as wire from "../../proto/gen/switchyard/config/v1/resources.ts";
import type { RolloutPolicy } from "../resource.ts";
import type { RatioGate, RolloutGates, RolloutWave, StagedRelease } from "../rollout-policy.ts";
import { durationToWire } from "./duration.ts";

/** The etag is left empty. */
export function rolloutPolicyToWire({ name, staged }: RolloutPolicy): wire.RolloutPolicy {
  return { name, staged: staged === null ? undefined : stagedReleaseToWire(staged), etag: "" };
}

export function stagedReleaseToWire(staged: StagedRelease): wire.StagedRelease {
  return {
    waves: staged.waves.map(waveToWire),
    gates: gatesToWire(staged.gates),
    onFailure: onFailureToWire(staged.onFailure),
    startAutomatically: staged.startAutomatically,
  };
}

export function waveToWire({ title, regions, labels, percent, bakeTimeMs }: RolloutWave): wire.RolloutWave {
  return { title, regions: [...regions], labels: { ...labels }, percent, bakeTime: durationToWire(bakeTimeMs) };
}

export function gatesToWire(gates: RolloutGates): wire.RolloutGates {
  return {
    applyDeadline: durationToWire(gates.applyDeadlineMs),
    appliedMin: gates.appliedMinPercent,
    refusedMax: gates.refusedMax,
    lostMax: gates.lostMaxPercent,
    connectFailures: ratioGateToWire(gates.connectFailures),
    handshakeFailures: ratioGateToWire(gates.handshakeFailures),
    healthyServersMin: gates.healthyServersMinPercent,
  };
}

export function onFailureToWire(onFailure: StagedRelease["onFailure"]): OnGateFailure {
  return onFailure === "pause" ? OnGateFailure.ON_GATE_FAILURE_PAUSE : OnGateFailure.ON_GATE_FAILURE_ROLL_BACK;
}

function ratioGateToWire(gate: RatioGate | null): wire.RatioGate {
  if (gate === null) return { sampleMin: 0, significancePpm: 0, off: true };
  const { sampleMin, significancePpm, marginBasisPoints } = gate;
  return { sampleMin, significancePpm, marginBasisPoints, off: false };
}
