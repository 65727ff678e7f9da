import type { RolloutStepWish } from "../../controlplane/decide/command.ts";
import type { ReleaseEvent, WaveJudgement } from "../../model/release-event.ts";
import type { RolloutName } from "../../model/resource-name.ts";
import { ReleaseHistory, staged } from "./release-history.ts";

export const judgement = (wave: number): WaveJudgement => ({
  wave,
  counts: { nodes: 1, reachable: 1, applied: 1, refused: 0, lost: 0, crashed: 0, different: 0 },
  gates: [],
});

/** An event in short; of a start what it releases, in which waves. */
export function short(event: ReleaseEvent): string {
  const { rollout, type } = event;
  const promoted = "promoted" in event && event.promoted ? " promoted" : "";
  if (type === "wave_released") return `${rollout} wave ${event.wave}${promoted}`;
  if (type !== "rollout_started") return `${rollout} ${type.slice("rollout_".length)}${promoted}`;
  const { targetRevision, staged: release } = event.start;
  return `${rollout} started ${targetRevision}: ${release.waves.map(({ title }) => title).join(", ")}`;
}

export const start: RolloutStepWish = { step: "start", target: null, policy: null };
export const emergency: RolloutStepWish = { step: "emergency", target: null };
export const r3: RolloutName = "rollouts/r3";
export const release = (wave: number, rollout = r3): RolloutStepWish => ({
  step: "release_wave",
  rollout,
  wave,
  judgement: judgement(wave - 1),
});
export const complete = (wave: number): RolloutStepWish => ({
  step: "complete",
  rollout: r3,
  judgement: judgement(wave),
});
export const byHand = (step: "pause" | "roll_back"): RolloutStepWish => ({
  step,
  rollout: null,
  failedGate: null,
  judgement: null,
});
export const byGate = (step: "pause" | "roll_back", wave: number): RolloutStepWish => ({
  step,
  rollout: r3,
  failedGate: "refused",
  judgement: judgement(wave),
});
export const resume: RolloutStepWish = { step: "resume", rollout: null };
export const abort: RolloutStepWish = { step: "abort", rollout: null };
export const promote = (full: boolean): RolloutStepWish => ({ step: "promote", rollout: null, full, judgement: null });

export type Taken = RolloutStepWish | "change" | "immediate";

/** Revision 2 waits for a rollout in three waves; then the steps are taken. */
export function given(...steps: readonly Taken[]) {
  const history = new ReleaseHistory();
  history.setDefault(staged({ title: "canary", labels: { canary: "true" } }, { percent: 50 }));
  history.change();
  for (const step of steps) {
    if (step === "change") history.change();
    else if (step === "immediate") history.setDefault(null);
    else if ("refused" in history.ask(step)) throw new Error(`${step.step} is refused in what is given`);
  }
  return {
    when(step: RolloutStepWish) {
      const decision = history.ask(step);
      return {
        releases: history.releases,
        outcome: "refused" in decision ? decision.refused : decision.releases.map(short).join("; "),
        words: "refused" in decision ? decision.violations.map((each) => `${each.field}: ${each.description}`) : [],
      };
    },
  };
}
