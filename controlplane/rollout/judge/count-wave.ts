import { sameBytes } from "../../../model/commit.ts";
import type { RolloutStart, WaveCounts } from "../../../model/release-event.ts";
import { waveOf } from "../../../model/rollout-policy.ts";
import type { RolloutRecord } from "../../../model/rollout-record.ts";
import type { NodeObservation } from "../node-observation.ts";
import type { WatchedNode, WaveBaseline } from "./wave-baseline.ts";

type Counting = { -readonly [Key in keyof WaveCounts]: WaveCounts[Key] };

/** How one node stands to what is released. */
export interface Standing {
  /** Reachable, at the target revision, with its digest. */
  readonly applied: boolean;
  /** It can't carry out the target, or some object of it. */
  readonly refused: boolean;
  /** Reachable at the release, and not now. */
  readonly lost: boolean;
  /** A new process since the release. */
  readonly crashed: boolean;
  /** At the target revision with another digest. */
  readonly different: boolean;
}

export function standingOf(node: NodeObservation, start: RolloutStart, watched: WatchedNode | undefined): Standing {
  const atTarget = node.revision === start.targetRevision;
  const equal = sameBytes(node.digest, start.targetDigest);
  return {
    applied: node.reachable && atTarget && equal,
    refused: refuses(node, start, watched),
    lost: watched !== undefined && watched.reachableAtRelease && !node.reachable,
    crashed: watched?.crashed ?? false,
    different: atTarget && !equal && node.digest.length > 0,
  };
}

/**
 * What lies between the revision that the node had and the target is the rollout's doing, whenever it was seen; of anything else only what
 * the node could do at the release still.
 */
function refuses({ refused }: NodeObservation, { targetRevision }: RolloutStart, watched?: WatchedNode): boolean {
  if (refused === null) return false;
  if (watched === undefined) return refused.revision === targetRevision;
  if (refused.revision > watched.revisionBefore && refused.revision <= targetRevision) return true;
  const { refusedAtRelease } = watched;
  return watched.reachableAtRelease && refusedAtRelease?.revision !== refused.revision;
}

/** The nodes of one wave; without a baseline nothing is known of lost and crashed ones. */
export function countWave(baseline: WaveBaseline, wave: number): WaveCounts {
  const counts = noNodes();
  for (const watched of baseline.nodes())
    if (watched.wave === wave) count(counts, watched.seen, standingOf(watched.seen, baseline.record.start, watched));
  return counts;
}

/**
 * The same by region, by name, for any wave of any rollout that is remembered. Nodes that are known to nobody any more are
 * counted where the baseline of that rollout remembers them.
 */
export function countByRegion(
  record: RolloutRecord,
  wave: number,
  nodes: Iterable<NodeObservation>,
  baseline: WaveBaseline | undefined,
): ReadonlyMap<string, WaveCounts> {
  const known = baseline?.record.name === record.name ? baseline : undefined;
  const regions = new Map<string, Counting>();
  const shown = new Set<string>();
  const add = (node: NodeObservation, watched: WatchedNode | undefined): void => {
    const { region } = node.identity;
    const counts = regions.get(region) ?? noNodes();
    regions.set(region, counts);
    count(counts, node, standingOf(node, record.start, watched));
  };
  for (const node of nodes) {
    const watched = known?.find(node.identity.id);
    if (known !== undefined) shown.add(node.identity.id);
    if ((watched?.wave ?? waveOf(record.start.staged.waves, node.identity)) === wave) add(node, watched);
  }
  for (const watched of known?.nodes() ?? [])
    if (watched.wave === wave && !shown.has(watched.seen.identity.id))
      add({ ...watched.seen, reachable: false }, watched);
  return new Map([...regions].sort(([left], [right]) => (left < right ? -1 : 1)));
}

function noNodes(): Counting {
  return { nodes: 0, reachable: 0, applied: 0, refused: 0, lost: 0, crashed: 0, different: 0 };
}

function count(counts: Counting, node: NodeObservation, standing: Standing): void {
  counts.nodes += 1;
  if (node.reachable) counts.reachable += 1;
  if (standing.applied) counts.applied += 1;
  if (standing.refused) counts.refused += 1;
  if (standing.lost) counts.lost += 1;
  if (standing.crashed) counts.crashed += 1;
  if (standing.different) counts.different += 1;
}
