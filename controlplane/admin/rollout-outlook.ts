import type { GateName } from "../../model/release-event.ts";
import { waveTitle } from "../../model/rollout-policy.ts";
import type { RolloutDecision, RolloutRecord } from "../../model/rollout-record.ts";
import type { RolloutSight } from "../rollout/rollout-sight.ts";

/** What comes next in a rollout, or why nothing does, in a sentence. `sight` is of this rollout's present wave. */
export function outlookOf(record: RolloutRecord, sight: RolloutSight | undefined): string {
  const { state, start } = record;
  switch (state) {
    case "running":
      return running(record, sight);
    case "paused":
      return `paused ${cause(record, "paused")}; resume, promote or roll back`;
    case "completed":
      return `complete: revision ${start.targetRevision} is released to every node`;
    case "aborted":
      return `aborted ${cause(record, "aborted")}; released nodes keep revision ${start.targetRevision}`;
    case "rolled_back":
      return `rolled back ${cause(record, "rolled_back")}; nodes go back to what they had before`;
  }
}

function running(record: RolloutRecord, sight: RolloutSight | undefined): string {
  const { releasedWaves, start } = record;
  const { waves, onFailure } = start.staged;
  if (releasedWaves === 0) return `wave 1 of ${waves.length} is released next`;
  const wave = waveText(record);
  const next = waves[releasedWaves];
  const then = next === undefined ? "the rollout is complete" : `${waveTitle(next, releasedWaves)} is released`;
  if (sight === undefined) return `${wave} was released; when its gates hold, ${then}`;
  const { remainingMs } = sight;
  switch (sight.phase) {
    case "applying": {
      const most = remainingMs === null ? "" : `, for at most ${timeText(remainingMs)}`;
      return `${wave} is being applied${most}; then it bakes, and then ${then}`;
    }
    case "baking": {
      const time = remainingMs === null ? "" : ` for ${timeText(remainingMs)}`;
      return `${wave} bakes${time}; then ${then}`;
    }
    case "failed": {
      const failed = sight.judgement.gates.find(({ outcome }) => outcome === "failed");
      const what = failed === undefined ? "a gate failed" : `${failed.gate} failed: ${failed.detail}`;
      return `${wave}: ${what}; the rollout is to be ${onFailure === "pause" ? "paused" : "rolled back"}`;
    }
  }
}

/** `as connect_failures failed in wave 2 of 4 (3 % of 900)`, `by ops: lunch`. */
function cause(record: RolloutRecord, step: RolloutDecision["step"]): string {
  const decision = record.decisions.findLast((each) => each.step === step);
  if (decision === undefined) return "";
  const { failedGate, author, reason } = decision;
  if (failedGate !== null) return `as ${failedGate} failed in ${waveText(record)}${detailOf(decision, failedGate)}`;
  return `by ${author}${reason === "" ? "" : `: ${reason}`}`;
}

function detailOf({ judgement }: RolloutDecision, gate: GateName): string {
  const figure = judgement?.gates.find((each) => each.gate === gate);
  return figure === undefined || figure.detail === "" ? "" : ` (${figure.detail})`;
}

function waveText({ releasedWaves, start }: RolloutRecord): string {
  return `wave ${releasedWaves} of ${start.staged.waves.length}`;
}

/** `40 more seconds`, `3 more minutes`: whole ones, of what is left. */
function timeText(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  const [count, unit] = seconds < 120 ? [seconds, "second"] : [Math.ceil(seconds / 60), "minute"];
  return `${count} more ${unit}${count === 1 ? "" : "s"}`;
}
