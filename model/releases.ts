import type { Commit, Position } from "./commit.ts";
import { isConfigEvent } from "./event.ts";
import type { NodeIdentity } from "./node-identity.ts";
import type { ReleaseEvent } from "./release-event.ts";
import { defaultRolloutPolicy, type RolloutName } from "./resource-name.ts";
import { type RolloutWave, selects } from "./rollout-policy.ts";
import { afterStep, followsFrom, isActive, type RolloutRecord, type StepOrigin } from "./rollout-record.ts";

/** The released waves of a rollout that is under way, or was aborted. */
export interface ReleaseLayer {
  readonly rollout: RolloutName;
  readonly revision: number;
  readonly waves: readonly RolloutWave[];
}

/** What nodes run: the revision of the newest layer that takes them, or the base. */
export interface ReleasedRevisions {
  readonly base: number;
  /** Newest last. */
  readonly layers: readonly ReleaseLayer[];
}

/**
 * What is released to whom, as of a revision: a fold over the log, beside that of the configuration. A value: each commit
 * makes the next one.
 */
export interface Releases extends ReleasedRevisions {
  /** The newest revision that changed the configuration. */
  readonly latest: number;
  /** Commits wait for a rollout: the default policy is staged. */
  readonly staged: boolean;
  /** Started last at the end; at most {@link rolloutsKept}. */
  readonly rollouts: readonly RolloutRecord[];
  /** What was in force before the last rollout; null once nothing can bring it back. */
  readonly prior: ReleasedRevisions | null;
}

/** Rollouts that are remembered; the log has all of them. */
export const rolloutsKept = 50;

/** Before any commit. */
export const nothingReleased: Releases = {
  base: 0,
  layers: [],
  latest: 0,
  staged: false,
  rollouts: [],
  prior: null,
};

/** A revision that all nodes run, of a log that has had no rollouts. */
export function releasedToAll({ revision }: Pick<Position, "revision">): Releases {
  return { ...nothingReleased, base: revision, latest: revision };
}

/** Whether that is all that there is to say. */
export function isReleasedToAll(releases: Releases, { revision }: Pick<Position, "revision">): boolean {
  const { base, latest, layers, staged, rollouts, prior } = releases;
  if (base !== revision || latest !== revision || staged) return false;
  return layers.length === 0 && rollouts.length === 0 && prior === null;
}

/**
 * The revision that a node runs: what the whole fleet agrees on without asking. A function of the log and of who the node is
 * alone.
 */
export function effectiveRevision(node: NodeIdentity, { base, layers }: ReleasedRevisions): number {
  const layer = layers.findLast(({ waves }) => waves.some((wave) => selects(wave, node)));
  return layer?.revision ?? base;
}

/** The rollout that is under way. */
export function activeRollout({ rollouts }: Releases): RolloutRecord | undefined {
  const last = rollouts.at(-1);
  return last !== undefined && isActive(last) ? last : undefined;
}

/** The oldest revision that some node runs, or may be taken to or back to at once: older ones than this are history. */
export function oldestInUse(releases: Releases): number {
  const { prior } = releases;
  const active = activeRollout(releases);
  const layers = [...releases.layers, ...(prior?.layers ?? [])].map(({ revision }) => revision);
  const others = [prior?.base, active?.start.targetRevision].filter((revision) => revision !== undefined);
  return Math.min(releases.base, ...layers, ...others);
}

/** What is released after one more commit. Total, as the fold of the configuration is. */
export function releasesAfter(before: Releases, commit: Commit): Releases {
  const { revision, timeMs, author, reason } = commit;
  let after = before;
  let changesConfiguration = false;
  for (const event of commit.events) {
    if (!isConfigEvent(event)) {
      after = afterRelease(after, event, { revision, timeMs, author, reason });
      continue;
    }
    changesConfiguration = true;
    const name = event.type === "deleted" ? event.name : event.resource.name;
    if (name !== defaultRolloutPolicy) continue;
    const staged =
      event.type !== "deleted" && event.resource.kind === "rolloutPolicy" && event.resource.staged !== null;
    after = { ...after, staged };
  }
  // A log that was rebuilt goes on with a commit that says nothing: where all nodes are at its end, they stay there.
  if (commit.events.length === 0)
    return isReleasedToAll(before, { revision: revision - 1 }) ? releasedToAll(commit) : before;
  if (!changesConfiguration) return after;
  after = { ...after, latest: revision };
  // `immediate`, the default, releases each commit to all at once. So come and go the policies that do otherwise.
  const atOnce = !(before.staged && after.staged) && activeRollout(before) === undefined;
  return atOnce ? { ...after, base: revision, layers: [], prior: null } : after;
}

function afterRelease(before: Releases, event: ReleaseEvent, at: StepOrigin): Releases {
  if (event.type === "rollout_started") {
    const { base, layers } = before;
    const record: RolloutRecord = {
      name: event.rollout,
      start: event.start,
      state: "running",
      releasedWaves: 0,
      decisions: [],
    };
    const rollouts = [...before.rollouts, afterStep(record, event, at)].slice(-rolloutsKept);
    return { ...before, rollouts, prior: { base, layers } };
  }
  // Only the newest can still take a step. What is no step from where it stands changes nothing: a log that a faulty decider wrote
  // releases no node again that was taken back.
  const record = before.rollouts.at(-1);
  if (record?.name !== event.rollout || !followsFrom(record, event)) return before;
  if (event.type === "rollout_rolled_back" && before.prior === null) return before;
  const rollouts = [...before.rollouts.slice(0, -1), afterStep(record, event, at)];
  return { ...before, ...revisionsAfter(before, record, event), rollouts };
}

function revisionsAfter(before: Releases, record: RolloutRecord, event: ReleaseEvent): Partial<Releases> {
  const { targetRevision, staged } = record.start;
  switch (event.type) {
    case "wave_released": {
      const others = before.layers.filter(({ rollout }) => rollout !== record.name);
      const waves = staged.waves.slice(0, event.wave + 1);
      return { layers: [...others, { rollout: record.name, revision: targetRevision, waves }] };
    }
    case "rollout_completed":
      return { base: targetRevision, layers: [] };
    case "rollout_rolled_back":
      return { ...before.prior, prior: null };
    case "rollout_started":
    case "rollout_paused":
    case "rollout_resumed":
    case "rollout_aborted":
      return {};
  }
}
