import type { Configuration } from "../../model/configuration.ts";
import type { ReleaseEvent, RolloutStart } from "../../model/release-event.ts";
import { activeRollout, type Releases } from "../../model/releases.ts";
import { defaultRolloutPolicy, type RolloutName, type RolloutPolicyName } from "../../model/resource-name.ts";
import {
  bakeTimeDefaultMs,
  rolloutGatesDefaults,
  type RolloutWave,
  selectsAll,
  type StagedRelease,
  waveTitle,
  wholeFleet,
} from "../../model/rollout-policy.ts";
import type { Refusal, RolloutStepWish } from "./command.ts";
import { refusal, stateRefusal } from "./refusal.ts";

/** Aborted rollouts, each with nodes that are left on its revision: every node looks through all of them. */
export const layersMax = 8;

/** What is released: a revision and the digest there. */
type Target = Pick<RolloutStart, "targetRevision" | "targetDigest">;

type Wish<Step extends RolloutStepWish["step"]> = Extract<RolloutStepWish, { step: Step }>;

/** The events that begin a rollout: the start and its first wave, in one commit. */
export function startRollout(
  configuration: Configuration,
  { target, policy }: Wish<"start">,
): readonly ReleaseEvent[] | Refusal {
  const { position, releases } = configuration;
  const active = activeRollout(releases);
  if (active !== undefined) {
    const waves = `${active.releasedWaves} of ${active.start.staged.waves.length} waves are released`;
    const description = `${active.name} is ${active.state === "paused" ? "paused" : "under way"} (revision ${active.start.targetRevision}, ${waves}): complete, abort or roll it back first`;
    return refusal("ROLLOUT_UNDER_WAY", "name", "conflict", description);
  }
  const found = targetOf(configuration, target);
  if ("refused" in found) return found;
  const chosen = stagedOf(configuration, policy);
  if ("refused" in chosen) return chosen;
  const atOnce = chosen.staged === null;
  // A release to all nodes takes the layers away; it is the way out.
  if (!atOnce && releases.layers.length >= layersMax) {
    const left = releases.layers.map(({ rollout }) => rollout).join(", ");
    const description = `${releases.layers.length} aborted rollouts have left nodes on revisions of their own (${left}); at most ${layersMax} may: roll back the newest, or release one revision to all nodes at once`;
    return stateRefusal("name", description);
  }
  const rollout: RolloutName = `rollouts/r${position.revision + 1}`;
  const staged = chosen.staged === null ? atOnceToAll : complete(chosen.staged);
  return begun(rollout, { ...found, policy: chosen.policy, staged, emergency: false }, atOnce);
}

/** The same past everything: to all nodes, and whatever was under way is aborted in the same commit. */
export function startEmergency(
  configuration: Configuration,
  { target }: Wish<"emergency">,
): readonly ReleaseEvent[] | Refusal {
  const found = targetOf(configuration, target);
  if ("refused" in found) return found;
  const active = activeRollout(configuration.releases);
  const rollout: RolloutName = `rollouts/emergency-${configuration.position.revision + 1}`;
  const events = begun(rollout, { ...found, policy: null, staged: atOnceToAll, emergency: true }, true);
  return active === undefined ? events : [{ type: "rollout_aborted", rollout: active.name }, ...events];
}

function begun(rollout: RolloutName, start: RolloutStart, atOnce: boolean): readonly ReleaseEvent[] {
  const events: ReleaseEvent[] = [
    { type: "rollout_started", rollout, start },
    { type: "wave_released", rollout, wave: 0, judgement: null, promoted: false },
  ];
  if (atOnce) events.push({ type: "rollout_completed", rollout, judgement: null, promoted: false });
  return events;
}

function targetOf({ position, releases, digest }: Configuration, wanted: Wish<"start">["target"]): Target | Refusal {
  const field = "target_revision";
  const { latest } = releases;
  const asked = wanted?.revision ?? latest;
  if (latest === 0) return refusal("NOTHING_TO_RELEASE", field, "out_of_range", "the log has no commit yet");
  if (!Number.isSafeInteger(asked) || asked < 1 || asked > position.revision) {
    const description = `the log has no revision ${asked}; its last is ${position.revision}, and ${latest} is the newest that changed the configuration`;
    return refusal("NOT_FOUND", field, "unknown_reference", description);
  }
  const targetRevision = changedAt(releases, Math.min(asked, latest));
  const targetDigest = wanted === null || asked >= latest ? digest : wanted.digest;
  if (runsEverywhere(releases, targetRevision)) {
    const description = `every node runs revision ${targetRevision} already`;
    return refusal("NOTHING_TO_RELEASE", field, "conflict", description);
  }
  return { targetRevision, targetDigest };
}

/** Where the configuration that is in force at a revision was made: commits that only have steps of rollouts are passed over. */
function changedAt({ rollouts }: Releases, revision: number): number {
  const steps = new Set(rollouts.flatMap(({ decisions }) => decisions.map((decision) => decision.revision)));
  let at = revision;
  while (at > 1 && steps.has(at)) at -= 1;
  return at;
}

function runsEverywhere({ base, layers }: Releases, revision: number): boolean {
  return base === revision && layers.every((layer) => layer.revision === revision);
}

interface Chosen {
  readonly policy: RolloutPolicyName | null;
  /** Null: to all nodes at once. */
  readonly staged: StagedRelease | null;
}

function stagedOf({ rolloutPolicies }: Configuration, wanted: RolloutPolicyName | null): Chosen | Refusal {
  const name = wanted ?? defaultRolloutPolicy;
  const policy = rolloutPolicies.get(name);
  if (policy !== undefined) return { policy: name, staged: policy.staged };
  if (wanted === null || wanted === defaultRolloutPolicy) return { policy: null, staged: null };
  const known = [...rolloutPolicies.keys()].sort().slice(0, 5).join(", ") || "none";
  return refusal("NOT_FOUND", "policy", "unknown_reference", `there is no ${wanted}; there are: ${known}`);
}

/** The waves that a start by a policy would have, whatever stands in its way. */
export function stagedForStart(
  configuration: Configuration,
  policy: RolloutPolicyName | null,
): StagedRelease | Refusal {
  const chosen = stagedOf(configuration, policy);
  if ("refused" in chosen) return chosen;
  return chosen.staged === null ? atOnceToAll : complete(chosen.staged);
}

const atOnceToAll: StagedRelease = {
  waves: [wholeFleet],
  gates: rolloutGatesDefaults,
  onFailure: "pause",
  startAutomatically: false,
};

/** The policy with its waves named, and with a last one for all nodes that no other takes. */
function complete(staged: StagedRelease): StagedRelease {
  const rest: RolloutWave = { ...wholeFleet, title: "the rest", bakeTimeMs: bakeTimeDefaultMs };
  const waves = staged.waves.some(selectsAll) ? staged.waves : [...staged.waves, rest];
  return { ...staged, waves: waves.map((wave, index) => ({ ...wave, title: waveTitle(wave, index) })) };
}
