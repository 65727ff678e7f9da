import type { GateName, ReleaseEvent, RolloutStart } from "../../model/release-event.ts";
import { waveTitle } from "../../model/rollout-policy.ts";

/** What a release event did, in a sentence for the history: who and why stand in the commit beside it. */
export function releaseSentence(event: ReleaseEvent): string {
  const { rollout } = event;
  switch (event.type) {
    case "rollout_started":
      return startSentence(rollout, event.start);
    case "wave_released":
      return `${rollout} released wave ${event.wave + 1}${event.promoted ? ", promoted by an operator" : ""}`;
    case "rollout_paused":
      return `${rollout} was paused${causeText(event.failedGate)}`;
    case "rollout_resumed":
      return `${rollout} was resumed`;
    case "rollout_completed":
      return `${rollout} was completed${event.promoted ? ", promoted by an operator" : ""}: every node is released`;
    case "rollout_aborted":
      return `${rollout} was aborted: released nodes keep its revision`;
    case "rollout_rolled_back":
      return `${rollout} was rolled back${causeText(event.failedGate)}`;
  }
}

function startSentence(rollout: string, { targetRevision, policy, staged, emergency }: RolloutStart): string {
  if (emergency) return `${rollout} released revision ${targetRevision} to all nodes at once, as an EMERGENCY`;
  const by = policy === null ? "" : ` by ${policy}`;
  const { waves } = staged;
  if (waves.length === 1) return `${rollout} started to release revision ${targetRevision}${by}, to all nodes at once`;
  const titles = waves.map(waveTitle).join(", ");
  return `${rollout} started to release revision ${targetRevision}${by}, in ${waves.length} waves: ${titles}`;
}

function causeText(failedGate: GateName | null): string {
  return failedGate === null ? " by an operator" : `: the gate ${failedGate} failed`;
}
