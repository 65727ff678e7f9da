import { RolloutState } from "../../proto/gen/switchyard/config/v1/releases.ts";
import type { RolloutDecision, WaveCounts } from "../../proto/gen/switchyard/config/v1/releases.ts";
import { WavePhase } from "../../proto/gen/switchyard/rollout/v1/rollout_service.ts";
import type { Rollout, WaveStatus } from "../../proto/gen/switchyard/rollout/v1/rollout_service.ts";
import type { Colour } from "./painted-line.ts";
import { gateClause } from "./release-text.ts";

const stateWords: Record<RolloutState, readonly [word: string, colour: Colour | undefined]> = {
  [RolloutState.ROLLOUT_STATE_UNSPECIFIED]: ["unknown", undefined],
  [RolloutState.ROLLOUT_STATE_RUNNING]: ["running", undefined],
  [RolloutState.ROLLOUT_STATE_PAUSED]: ["PAUSED", "yellow"],
  [RolloutState.ROLLOUT_STATE_COMPLETED]: ["completed", "green"],
  [RolloutState.ROLLOUT_STATE_ABORTED]: ["ABORTED", "red"],
  [RolloutState.ROLLOUT_STATE_ROLLED_BACK]: ["ROLLED BACK", "red"],
};

export function rolloutStateText(state: RolloutState): string {
  return stateWords[state][0];
}

export function rolloutStateColour(state: RolloutState): Colour | undefined {
  return stateWords[state][1];
}

const phaseWords: Record<WavePhase, readonly [word: string, colour: Colour | undefined]> = {
  [WavePhase.WAVE_PHASE_UNSPECIFIED]: ["", undefined],
  [WavePhase.WAVE_PHASE_PENDING]: ["pending", "dim"],
  [WavePhase.WAVE_PHASE_APPLYING]: ["applying", "yellow"],
  [WavePhase.WAVE_PHASE_BAKING]: ["baking", "yellow"],
  [WavePhase.WAVE_PHASE_DONE]: ["done", "green"],
  [WavePhase.WAVE_PHASE_FAILED]: ["FAILED", "red"],
  [WavePhase.WAVE_PHASE_CANCELLED]: ["cancelled", "dim"],
};

export function phaseText(phase: WavePhase): string {
  return phaseWords[phase][0];
}

export function phaseColour(phase: WavePhase): Colour | undefined {
  return phaseWords[phase][1];
}

/** `2 eu-west`; a wave that has no title of its own is called by its place already. */
export function waveName(index: number, title: string): string {
  return title === "" || title === `wave ${index + 1}` ? `wave ${index + 1}` : `${index + 1} ${title}`;
}

/** A released wave whose gates are looked at, or failed. */
export function isWatched({ phase }: WaveStatus): boolean {
  return (
    phase === WavePhase.WAVE_PHASE_APPLYING ||
    phase === WavePhase.WAVE_PHASE_BAKING ||
    phase === WavePhase.WAVE_PHASE_FAILED
  );
}

/** `12 of 30 applied, 2 refused, 1 unreachable`; of a wave that is not released, how many nodes it has. */
export function waveCountsText(counts: WaveCounts | undefined, phase: WavePhase): string {
  if (counts === undefined) return "";
  const { nodes, reachable, applied, refused, lost, crashed, different } = counts;
  const unreachable = [[nodes - reachable, "unreachable"]] as const;
  const count = nodes === 1 ? "1 node" : `${nodes} nodes`;
  if (phase === WavePhase.WAVE_PHASE_PENDING) return listed(count, unreachable);
  if (phase === WavePhase.WAVE_PHASE_CANCELLED) return listed(count, [[applied, "still there"], ...unreachable]);
  const troubles = [
    [refused, "refused"],
    [different, "DIFFERENT"],
    [lost, "lost"],
    [crashed, "crashed"],
  ] as const;
  return listed(`${applied} of ${nodes} applied`, [...troubles, ...unreachable]);
}

function listed(first: string, others: readonly (readonly [number, string])[]): string {
  return [first, ...others.flatMap(([count, what]) => (count > 0 ? [`${count} ${what}`] : []))].join(", ");
}

/** `34s`, `4m12s`, `3h05m`, `2d03h`. */
export function timeLeftText(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  const two = (value: number): string => String(value).padStart(2, "0");
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m${two(seconds % 60)}s`;
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? `${hours}h${two(minutes % 60)}m` : `${Math.floor(hours / 24)}d${two(hours % 24)}h`;
}

/** What was decided, with the wave that it was about: `wave 2 (eu-west) released`, `paused: gate lost failed in 1 canary`. */
export function stepText(
  { step, releasedWaves, promoted, failedGate, judgement }: RolloutDecision,
  rollout: Rollout,
): string {
  const wave = (index: number): string => waveName(index, rollout.waves[index]?.title ?? "");
  const past = promoted ? ", past its gates" : "";
  if (step === "wave_released") return `released ${wave(releasedWaves - 1)}${past}`;
  const where = failedGate === "" || judgement === undefined ? "" : ` in ${wave(judgement.wave)}`;
  return `${step.replaceAll("_", " ")}${past}${gateClause(failedGate)}${where}`;
}
