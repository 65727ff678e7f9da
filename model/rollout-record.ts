import type { GateName, ReleaseEvent, RolloutStart, WaveJudgement } from "./release-event.ts";
import type { RolloutName } from "./resource-name.ts";

/** In the order of the proto. */
export const rolloutStates = ["running", "paused", "completed", "aborted", "rolled_back"] as const;
export type RolloutState = (typeof rolloutStates)[number];

/** What is known of one rollout. */
export interface RolloutRecord {
  readonly name: RolloutName;
  readonly start: RolloutStart;
  readonly state: RolloutState;
  /** Waves that are released: of the first so many. */
  readonly releasedWaves: number;
  /** In order; the first is the start. Of very many the start and the newest are kept. */
  readonly decisions: readonly RolloutDecision[];
}

export const rolloutSteps = [
  "started",
  "wave_released",
  "paused",
  "resumed",
  "completed",
  "aborted",
  "rolled_back",
] as const;
export type RolloutStep = (typeof rolloutSteps)[number];

/** One step, and what it was decided by. */
export interface RolloutDecision {
  readonly step: RolloutStep;
  /** The commit that has it. */
  readonly revision: number;
  readonly timeMs: number;
  readonly author: string;
  readonly reason: string;
  readonly releasedWaves: number;
  readonly promoted: boolean;
  readonly failedGate: GateName | null;
  readonly judgement: WaveJudgement | null;
}

/** Decisions of one rollout that are kept. */
const decisionsMax = 200;

/** Where a step stands in the log. */
export type StepOrigin = Pick<RolloutDecision, "revision" | "timeMs" | "author" | "reason">;

export function isActive({ state }: RolloutRecord): boolean {
  return state === "running" || state === "paused";
}

/** Whether an event of the rollout is a step from where it stands. */
export function followsFrom(record: RolloutRecord, event: ReleaseEvent): boolean {
  switch (event.type) {
    case "rollout_started":
      return record.decisions.length === 0;
    case "wave_released":
      return isActive(record) && event.wave === record.releasedWaves && event.wave < record.start.staged.waves.length;
    case "rollout_paused":
    case "rollout_resumed":
    case "rollout_completed":
    case "rollout_aborted":
      return isActive(record);
    case "rollout_rolled_back":
      return record.state !== "rolled_back";
  }
}

/** The record after one more event of its rollout. */
export function afterStep(record: RolloutRecord, event: ReleaseEvent, at: StepOrigin): RolloutRecord {
  const releasedWaves = releasedAfter(record, event);
  const decision: RolloutDecision = {
    ...at,
    step: event.type === "wave_released" ? event.type : (event.type.slice("rollout_".length) as RolloutStep),
    releasedWaves,
    promoted: "promoted" in event && event.promoted,
    failedGate: "failedGate" in event ? event.failedGate : null,
    judgement: "judgement" in event ? event.judgement : null,
  };
  const [first, ...rest] = [...record.decisions, decision];
  const decisions = first === undefined ? rest : [first, ...rest.slice(-(decisionsMax - 1))];
  return { ...record, state: stateAfter(record, event), releasedWaves, decisions };
}

function releasedAfter({ start, releasedWaves }: RolloutRecord, event: ReleaseEvent): number {
  if (event.type === "wave_released") return event.wave + 1;
  return event.type === "rollout_completed" ? start.staged.waves.length : releasedWaves;
}

function stateAfter({ state }: RolloutRecord, event: ReleaseEvent): RolloutState {
  switch (event.type) {
    case "wave_released":
      return state;
    case "rollout_started":
    case "rollout_resumed":
      return "running";
    case "rollout_paused":
      return "paused";
    case "rollout_completed":
      return "completed";
    case "rollout_aborted":
      return "aborted";
    case "rollout_rolled_back":
      return "rolled_back";
  }
}
