import type { WaveCounts, WaveJudgement } from "../../model/release-event.ts";
import { waveTitle } from "../../model/rollout-policy.ts";
import { isActive, type RolloutRecord } from "../../model/rollout-record.ts";
import { durationToWire } from "../../model/wire/duration.ts";
import { decisionToWire, rolloutStateToWire } from "../../model/wire/releases.ts";
import { onFailureToWire, waveToWire } from "../../model/wire/rollout-policy-to-wire.ts";
import { timestampToWire } from "../../model/wire/timestamp.ts";
import { countsToWire, gateFigureToWire } from "../../model/wire/wave-judgement.ts";
import { type Rollout, WavePhase, type WaveStatus } from "../../proto/gen/switchyard/rollout/v1/rollout_service.ts";
import type { RolloutSight } from "../rollout/rollout-sight.ts";
import { outlookOf } from "./rollout-outlook.ts";

/** What is seen of a rollout beside its record. */
export interface RolloutView {
  /** Of this rollout's present wave; undefined where none is watched. */
  readonly sight: RolloutSight | undefined;
  /** The nodes of a wave by region as they are now; undefined where nobody counts: then it is as it was decided. */
  readonly regions: ((wave: number) => ReadonlyMap<string, WaveCounts>) | undefined;
}

export function rolloutMessage(record: RolloutRecord, view: RolloutView): Rollout {
  const { name, state, start, decisions } = record;
  return {
    name,
    state: rolloutStateToWire(state),
    targetRevision: BigInt(start.targetRevision),
    policy: start.policy ?? "",
    emergency: start.emergency,
    waves: start.staged.waves.map((_, index) => waveStatus(record, index, view)),
    decisions: decisions.map(decisionToWire),
    outlook: outlookOf(record, view.sight),
    onFailure: onFailureToWire(start.staged.onFailure),
  };
}

function waveStatus(record: RolloutRecord, index: number, { sight, regions }: RolloutView): WaveStatus {
  const wave = record.start.staged.waves[index];
  if (wave === undefined) throw new RangeError(`${record.name} has no wave ${index}`);
  const seen = sight?.wave === index ? sight : undefined;
  const judgement = seen?.judgement ?? decidedOf(record, index);
  const counted = regions?.(index);
  const counts = counted === undefined ? judgement?.counts : total(counted.values());
  const released = record.decisions.find(
    ({ step, releasedWaves }) => step === "wave_released" && releasedWaves === index + 1,
  );
  const remainingMs = seen?.leads === true ? seen.remainingMs : null;
  return {
    title: waveTitle(wave, index),
    wave: waveToWire(wave),
    phase: phaseOf(record, index, seen),
    releaseTime: released === undefined ? undefined : timestampToWire(released.timeMs),
    // Whole seconds: what only counts down a little is no news to those who watch.
    remaining: remainingMs === null ? undefined : durationToWire(Math.ceil(remainingMs / 1000) * 1000),
    counts: counts === undefined ? undefined : countsToWire(counts),
    regions: [...(counted ?? [])].map(([region, each]) => ({ region, counts: countsToWire(each) })),
    gates: (judgement?.gates ?? []).map(gateFigureToWire),
  };
}

/** How the wave stood when something was decided about it last. */
function decidedOf({ decisions }: RolloutRecord, index: number): WaveJudgement | undefined {
  return decisions.findLast(({ judgement }) => judgement?.wave === index)?.judgement ?? undefined;
}

function phaseOf(record: RolloutRecord, index: number, seen: RolloutSight | undefined): WavePhase {
  const { state, releasedWaves, decisions } = record;
  const last = decisions.at(-1);
  const isPresent = index === releasedWaves - 1;
  const failed = isPresent && (last?.failedGate ?? null) !== null;
  if (index >= releasedWaves) return isActive(record) ? WavePhase.WAVE_PHASE_PENDING : WavePhase.WAVE_PHASE_CANCELLED;
  if (failed) return WavePhase.WAVE_PHASE_FAILED;
  if (state === "rolled_back") return WavePhase.WAVE_PHASE_CANCELLED;
  if (!isPresent || !isActive(record)) return WavePhase.WAVE_PHASE_DONE;
  return seen === undefined ? WavePhase.WAVE_PHASE_APPLYING : phases[seen.phase];
}

const phases = {
  applying: WavePhase.WAVE_PHASE_APPLYING,
  baking: WavePhase.WAVE_PHASE_BAKING,
  failed: WavePhase.WAVE_PHASE_FAILED,
} as const;

function total(regions: Iterable<WaveCounts>): WaveCounts {
  const sum = { nodes: 0, reachable: 0, applied: 0, refused: 0, lost: 0, crashed: 0, different: 0 };
  for (const counts of regions) for (const key of Object.keys(sum) as (keyof WaveCounts)[]) sum[key] += counts[key];
  return sum;
}
