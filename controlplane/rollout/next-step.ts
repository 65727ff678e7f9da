import type { WaveJudgement } from "../../model/release-event.ts";
import type { Releases } from "../../model/releases.ts";
import { waveTitle } from "../../model/rollout-policy.ts";
import type { RolloutRecord } from "../../model/rollout-record.ts";
import type { RolloutStepWish } from "../decide/command.ts";
import type { JudgedWave } from "./judge/judge-wave.ts";

/** The longest reason of a step; what is left out stands in its figures. */
const reasonMax = 900;

/** A step that is to be taken. */
export interface NextStep {
  readonly step: RolloutStepWish;
  /** The revision of the newest rollout's newest step that it was decided by: after another one it is not to be taken. */
  readonly seenStep: number;
  /** Follows from the state that it is decided in, so that the same step is the same request, by whichever replica. */
  readonly requestId: string;
  readonly reason: string;
}

/** What the gates lead to; undefined where they wait. */
export function stepAfter(record: RolloutRecord, { decided, judgement }: JudgedWave): NextStep | undefined {
  const { name: rollout, releasedWaves, start } = record;
  const { waves, onFailure } = start.staged;
  switch (decided.verdict) {
    case "wait":
      return undefined;
    case "advance": {
      const isLast = releasedWaves >= waves.length;
      const step: RolloutStepWish = isLast
        ? { step: "complete", rollout, judgement }
        : { step: "release_wave", rollout, wave: releasedWaves, judgement };
      return {
        step,
        seenStep: newestStep(record),
        requestId: requestIdOf(record, step),
        reason: cut(`${held(record, judgement)}: ${summaryOf(judgement)}`),
      };
    }
    case "fail": {
      const { gate } = decided;
      const step: RolloutStepWish = { step: onFailure, rollout, failedGate: gate, judgement };
      const failed = judgement.gates.find((figure) => figure.gate === gate)?.detail ?? "";
      const reason = `${gate} failed in ${waveText(record)}: ${failed}`;
      return { step, seenStep: newestStep(record), requestId: requestIdOf(record, step), reason: cut(reason) };
    }
  }
}

/** A rollout whose first wave is not released, as a log may have it that was written by another version. */
export function firstWave(record: RolloutRecord): NextStep {
  const step: RolloutStepWish = { step: "release_wave", rollout: record.name, wave: 0, judgement: null };
  return { step, seenStep: newestStep(record), requestId: requestIdOf(record, step), reason: "the first wave" };
}

/**
 * The start of a rollout of what waits: only of what was committed since the newest began. So what was rolled back does not come again, nor
 * what an operator passed over who released an older revision.
 */
export function automaticStart({ latest, base, rollouts }: Releases): NextStep | undefined {
  const newest = rollouts.at(-1);
  if (latest <= base || latest <= (newest?.decisions[0]?.revision ?? 0)) return undefined;
  return {
    step: { step: "start", target: null, policy: null },
    seenStep: newestStep(newest),
    requestId: `rollouts/automatic/${latest}/${newestStep(newest)}`,
    reason: `revision ${latest} waits, and the default policy starts rollouts by itself`,
  };
}

function requestIdOf(record: RolloutRecord, { step }: RolloutStepWish): string {
  return `${record.name}/${step}/${record.releasedWaves}/${newestStep(record)}`;
}

/** 0 where no rollout was ever started. */
export function newestStep(newest: RolloutRecord | undefined): number {
  return newest?.decisions.at(-1)?.revision ?? 0;
}

/** A wave that nobody could apply was only waited for. */
function held(record: RolloutRecord, { gates }: WaveJudgement): string {
  if (gates.some(({ gate, outcome }) => gate === "applied" && outcome === "inconclusive")) return waveText(record);
  return `${waveText(record)} has held for ${(record.start.staged.waves[record.releasedWaves - 1]?.bakeTimeMs ?? 0) / 1000} s`;
}

function waveText({ start, releasedWaves }: RolloutRecord): string {
  const { waves } = start.staged;
  const wave = waves[releasedWaves - 1];
  const title = wave === undefined ? "" : ` (${waveTitle(wave, releasedWaves - 1)})`;
  return `wave ${releasedWaves} of ${waves.length}${title}`;
}

/** In short: the figures of all gates stand in the judgement. */
function summaryOf({ gates }: WaveJudgement): string {
  const applied = gates.find(({ gate }) => gate === "applied")?.detail ?? "";
  const unsure = gates.filter(({ gate, outcome }) => gate !== "applied" && outcome === "inconclusive");
  const samples = unsure.length === 0 ? "" : `; too small a sample for ${unsure.map(({ gate }) => gate).join(" and ")}`;
  return `${applied}; no gate failed${samples}`;
}

function cut(text: string): string {
  return text.length <= reasonMax ? text : `${text.slice(0, reasonMax)}...`;
}
