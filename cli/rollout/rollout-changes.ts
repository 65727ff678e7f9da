import { GateOutcome } from "../../proto/gen/switchyard/config/v1/releases.ts";
import type { Rollout, WaveStatus } from "../../proto/gen/switchyard/rollout/v1/rollout_service.ts";
import { WavePhase } from "../../proto/gen/switchyard/rollout/v1/rollout_service.ts";
import { outcomeText } from "../output/judgement-text.ts";
import { phaseText, rolloutStateText, stepText, waveCountsText, waveName } from "../output/rollout-words.ts";

/** What has changed from one answer to the next, a line each; of the first answer, how everything stands. */
export function rolloutChanges(before: Rollout | undefined, after: Rollout): string[] {
  return [
    ...(before === undefined ? [standLine(after)] : stepLines(before, after)),
    ...after.waves.flatMap((wave, index) => waveChanges(before?.waves[index], wave, index)),
  ];
}

function standLine({ name, targetRevision, waves, state, emergency }: Rollout): string {
  const count = waves.length === 1 ? "1 wave" : `${waves.length} waves`;
  return `${name} ${rolloutStateText(state)}: revision ${targetRevision} in ${count}${emergency ? ", EMERGENCY" : ""}`;
}

/** Decisions of commits that the answer before did not know. */
function stepLines(before: Rollout, after: Rollout): string[] {
  const known = before.decisions.at(-1)?.revision ?? 0n;
  return after.decisions
    .filter(({ revision }) => revision > known)
    .map((decision) => {
      const { author, reason } = decision;
      return `${stepText(decision, after)}${author === "" ? "" : `, by ${author}`}${reason === "" ? "" : `: ${reason}`}`;
    });
}

function waveChanges(before: WaveStatus | undefined, after: WaveStatus, index: number): string[] {
  const name = waveName(index, after.title);
  const counts = waveCountsText(after.counts, after.phase);
  const lines: string[] = [];
  if (before?.phase !== after.phase) {
    // At first, waves that wait are no news.
    if (before !== undefined || after.phase !== WavePhase.WAVE_PHASE_PENDING) {
      const was = before === undefined ? "" : `${phaseText(before.phase)} -> `;
      lines.push(`${name} ${was}${phaseText(after.phase)}; ${counts}`);
    }
  } else if (waveCountsText(before.counts, before.phase) !== counts) lines.push(`${name} ${counts}`);
  for (const { gate, outcome, detail } of after.gates) {
    const was = before?.gates.find((figure) => figure.gate === gate)?.outcome;
    // What passes, or is not yet known, is told only where it was otherwise.
    const isNews = outcome === GateOutcome.GATE_OUTCOME_FAILED || was === GateOutcome.GATE_OUTCOME_FAILED;
    if (was !== outcome && isNews)
      lines.push(`${name} gate ${gate} ${outcomeText(outcome)}${detail === "" ? "" : `: ${detail}`}`);
  }
  return lines;
}
