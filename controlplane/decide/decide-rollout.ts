import type { Configuration } from "../../model/configuration.ts";
import type { ReleaseEvent } from "../../model/release-event.ts";
import { activeRollout, type Releases, rolloutsKept } from "../../model/releases.ts";
import type { RolloutName } from "../../model/resource-name.ts";
import type { RolloutRecord, RolloutState } from "../../model/rollout-record.ts";
import type { Refusal, RolloutStepWish } from "./command.ts";
import { refusal, stateRefusal } from "./refusal.ts";
import { startEmergency, startRollout } from "./start-rollout.ts";

interface Steps {
  readonly changes: readonly [];
  readonly releases: readonly ReleaseEvent[];
}

type Wish<Step extends RolloutStepWish["step"]> = Extract<RolloutStepWish, { step: Step }>;

/** What an operator and a gate both may ask for. */
type GateStep = Extract<RolloutStepWish, { step: "pause" | "roll_back" }>;

/**
 * Decides one step of a rollout: its events, or a refusal that says what stands in the way. What the controller asks for holds
 * only for the wave that it judged, in a rollout that runs: of two controllers that ask for the same step one is refused.
 */
export function decideRollout(configuration: Configuration, wish: RolloutStepWish): Steps | Refusal {
  const releases = eventsFor(configuration, wish);
  return "refused" in releases ? releases : { changes: [], releases };
}

function eventsFor(configuration: Configuration, wish: RolloutStepWish): readonly ReleaseEvent[] | Refusal {
  const { releases } = configuration;
  switch (wish.step) {
    case "start":
      return startRollout(configuration, wish);
    case "emergency":
      return startEmergency(configuration, wish);
    case "release_wave":
      return releaseWave(releases, wish);
    case "complete":
      return completeRollout(releases, wish);
    case "pause":
      return pauseRollout(releases, wish);
    case "roll_back":
      return rollBack(releases, wish);
    case "resume":
      return resumeRollout(releases, wish.rollout);
    case "abort":
      return abortRollout(releases, wish.rollout);
    case "promote":
      return promoteRollout(releases, wish);
  }
}

function releaseWave(releases: Releases, wish: Wish<"release_wave">): readonly ReleaseEvent[] | Refusal {
  const { rollout, wave, judgement } = wish;
  const record = judged(releases, rollout, judgement?.wave);
  if ("refused" in record) return record;
  const { releasedWaves, start } = record;
  const count = start.staged.waves.length;
  if (wave !== releasedWaves || wave >= count) {
    const next = releasedWaves < count ? `the next is wave ${releasedWaves + 1}` : "all of them are released";
    return stateRefusal("wave", `wave ${wave + 1} of ${rollout} is not to be released now: ${next} of ${count}`);
  }
  return [{ type: "wave_released", rollout, wave, judgement, promoted: false }];
}

function completeRollout(
  releases: Releases,
  { rollout, judgement }: Wish<"complete">,
): readonly ReleaseEvent[] | Refusal {
  const record = judged(releases, rollout, judgement?.wave);
  if ("refused" in record) return record;
  const { releasedWaves, start } = record;
  const count = start.staged.waves.length;
  if (releasedWaves < count)
    return stateRefusal("wave", `${rollout} is not complete: ${releasedWaves} of ${count} waves are released`);
  return [{ type: "rollout_completed", rollout, judgement, promoted: false }];
}

function pauseRollout(
  releases: Releases,
  { rollout: wanted, failedGate, judgement }: GateStep,
): readonly ReleaseEvent[] | Refusal {
  const record =
    failedGate === null
      ? inState(releases, wanted, ["running"], "paused")
      : judged(releases, wanted, judgement?.wave ?? null);
  if ("refused" in record) return record;
  return [{ type: "rollout_paused", rollout: record.name, failedGate, judgement }];
}

function resumeRollout(releases: Releases, wanted: RolloutName | null): readonly ReleaseEvent[] | Refusal {
  const record = inState(releases, wanted, ["paused"], "resumed");
  return "refused" in record ? record : [{ type: "rollout_resumed", rollout: record.name }];
}

function abortRollout(releases: Releases, wanted: RolloutName | null): readonly ReleaseEvent[] | Refusal {
  const record = inState(releases, wanted, ["running", "paused"], "aborted");
  return "refused" in record ? record : [{ type: "rollout_aborted", rollout: record.name }];
}

/** What the wave before was like is said once, with the first step; a rollout that is paused stays so. */
function promoteRollout(
  releases: Releases,
  { rollout: wanted, full, judgement }: Wish<"promote">,
): readonly ReleaseEvent[] | Refusal {
  const record = inState(releases, wanted, ["running", "paused"], "promoted");
  if ("refused" in record) return record;
  const { name: rollout, releasedWaves } = record;
  const count = record.start.staged.waves.length;
  const end = full ? count : Math.min(releasedWaves + 1, count);
  const events: ReleaseEvent[] = [];
  for (let wave = releasedWaves; wave < end; wave += 1) {
    const before = wave === releasedWaves ? judgement : null;
    events.push({ type: "wave_released", rollout, wave, judgement: before, promoted: true });
  }
  if (full || releasedWaves === count) {
    const before = events.length === 0 ? judgement : null;
    events.push({ type: "rollout_completed", rollout, judgement: before, promoted: true });
  }
  return events;
}

/** The newest rollout, under way or ended: what was in force before it is known of no other. */
function rollBack(
  releases: Releases,
  { rollout: wanted, failedGate, judgement }: GateStep,
): readonly ReleaseEvent[] | Refusal {
  const newest = releases.rollouts.at(-1);
  const record =
    failedGate === null
      ? named(releases, wanted ?? newest?.name ?? null)
      : judged(releases, wanted, judgement?.wave ?? null);
  if ("refused" in record) return record;
  if (record !== newest)
    return stateRefusal("name", `${record.name} is not the newest rollout: only ${newest?.name} can be rolled back`);
  if (record.state === "rolled_back") return stateRefusal("name", `${standing(record)}: nothing is left of it`);
  if (releases.prior === null) {
    const description = `what ran before ${record.name} is no more: revision ${releases.base} has been released to all nodes since. Revert to the revision that is wanted, or start a rollout of it`;
    return stateRefusal("name", description);
  }
  return [{ type: "rollout_rolled_back", rollout: record.name, failedGate, judgement }];
}

/** The rollout that a controller acts for: it runs, and the wave that was judged is the one that was released last. */
function judged(
  releases: Releases,
  wanted: RolloutName | null,
  wave: number | null | undefined,
): RolloutRecord | Refusal {
  const record = inState(releases, wanted, ["running"], "taken further by its gates");
  if ("refused" in record) return record;
  if (wave === undefined || wave === record.releasedWaves - 1) return record;
  const said = wave === null ? "no wave" : `wave ${wave + 1}`;
  const description = `${said} of ${record.name} was judged; wave ${record.releasedWaves} was released last`;
  return stateRefusal("wave", description);
}

function inState(
  releases: Releases,
  wanted: RolloutName | null,
  states: readonly RolloutState[],
  done: string,
): RolloutRecord | Refusal {
  const record = named(releases, wanted ?? activeRollout(releases)?.name ?? null);
  if ("refused" in record || states.includes(record.state)) return record;
  const needed = states.length === 1 ? states[0] : "under way";
  return stateRefusal("name", `${standing(record)}: only a rollout that is ${needed} can be ${done}`);
}

function named({ rollouts }: Releases, name: RolloutName | null): RolloutRecord | Refusal {
  const record = rollouts.find((each) => each.name === name);
  if (record !== undefined) return record;
  const newest = rollouts.at(-1);
  const last = newest === undefined ? "none was ever started" : `the newest: ${standing(newest)}`;
  if (name === null) return stateRefusal("name", `no rollout is under way; ${last}`);
  const description = `there is no ${name} among the newest ${rolloutsKept} rollouts; ${last}`;
  return refusal("NOT_FOUND", "name", "unknown_reference", description);
}

const stateText: Readonly<Record<RolloutState, string>> = {
  running: "is running",
  paused: "is paused",
  completed: "was completed",
  aborted: "was aborted",
  rolled_back: "was rolled back",
};

function standing({ name, state, decisions }: RolloutRecord): string {
  const at = decisions.at(-1);
  return `${name} ${stateText[state]}${at === undefined ? "" : ` (since revision ${at.revision})`}`;
}
