import { effectiveRevision, type ReleasedRevisions } from "../../../model/releases.ts";
import { waveOf } from "../../../model/rollout-policy.ts";
import type { RolloutRecord } from "../../../model/rollout-record.ts";
import type { NodeObservation, OutcomeCounters } from "../node-observation.ts";

/** Nodes that are watched during one wave. Past it, those that are gone make room; then new ones are not taken. */
export const nodesWatchedMax = 20_000;

export const nothingCounted: OutcomeCounters = {
  connects: 0,
  connectFailures: 0,
  handshakes: 0,
  handshakeFailures: 0,
};

/** One node since the release. */
export interface WatchedNode {
  /** As it was seen last; silent from when nobody shows it any more. */
  readonly seen: NodeObservation;
  /** The wave that takes it. */
  readonly wave: number;
  /** What it ran before the rollout. */
  readonly revisionBefore: number;
  /** What it could not do at the release already. */
  readonly refusedAtRelease: NodeObservation["refused"];
  readonly reachableAtRelease: boolean;
  /** It was reachable, at the release or since: what becomes of it says something of the release. */
  readonly heardOf: boolean;
  /** Of the process that was reachable first; another one since means that it died. */
  readonly bootId: string;
  readonly crashed: boolean;
  /** What was counted since the release; of a released node only while it serves the target. */
  readonly since: OutcomeCounters;
  /** Totals, and failing servers, of the time before it served the target; null where it was not seen then. */
  readonly before: { readonly counters: OutcomeCounters; readonly failing: ReadonlySet<string> } | null;
}

type Watched = { -readonly [Key in keyof WatchedNode]: WatchedNode[Key] };

/**
 * How the nodes were when a wave was released, and what they counted since. Taken when a replica first sees the release, and
 * told of every observation after it. Owned by who made it; changed in place.
 */
export class WaveBaseline {
  readonly record: RolloutRecord;
  readonly #prior: ReleasedRevisions;
  readonly #nodes = new Map<string, Watched>();
  /** Nothing more is admitted until the next observation. */
  #isFull = false;

  /** `earlier` is the baseline of a wave before, or of the same wave before a pause: it knows how nodes did before the target. */
  constructor(
    record: RolloutRecord,
    prior: ReleasedRevisions,
    nodes: Iterable<NodeObservation>,
    earlier?: WaveBaseline,
  ) {
    this.record = record;
    this.#prior = prior;
    const known = earlier?.record.name === record.name ? earlier : undefined;
    for (const node of nodes) this.#admit(node, true, known?.find(node.identity.id));
  }

  find(id: string): WatchedNode | undefined {
    return this.#nodes.get(id);
  }

  nodes(): Iterable<WatchedNode> {
    return this.#nodes.values();
  }

  /** Takes all nodes as they are now. */
  observe(nodes: Iterable<NodeObservation>): void {
    this.#isFull = false;
    const shown = new Set<string>();
    for (const node of nodes) {
      shown.add(node.identity.id);
      const watched = this.#nodes.get(node.identity.id);
      if (watched === undefined) this.#admit(node, false);
      else if (watched.seen !== node) this.#take(watched, node);
    }
    for (const [id, watched] of this.#nodes)
      if (!shown.has(id) && watched.seen.reachable) watched.seen = { ...watched.seen, reachable: false };
  }

  #admit(node: NodeObservation, atRelease: boolean, earlier?: WatchedNode): void {
    if (!this.#makeRoom()) return;
    const { identity, reachable, bootId, counters, failing, refused, revision } = node;
    const { staged, targetRevision } = this.record.start;
    const before = revision === targetRevision ? (earlier?.before ?? null) : { counters, failing };
    this.#nodes.set(identity.id, {
      seen: node,
      wave: waveOf(staged.waves, identity) ?? staged.waves.length,
      revisionBefore: effectiveRevision(identity, this.#prior),
      refusedAtRelease: atRelease ? refused : null,
      reachableAtRelease: atRelease && reachable,
      heardOf: reachable,
      bootId,
      crashed: false,
      since: nothingCounted,
      before,
    });
  }

  #take(watched: Watched, node: NodeObservation): void {
    const last = watched.seen;
    const { staged, targetRevision } = this.record.start;
    if (node.identity !== last.identity) {
      watched.wave = waveOf(staged.waves, node.identity) ?? staged.waves.length;
      watched.revisionBefore = effectiveRevision(node.identity, this.#prior);
    }
    // What is kept of a process that is gone, and is shown again for a moment, is no news.
    const isNews = node.reachable || node.bootId === last.bootId;
    if (!isNews) {
      watched.seen = { ...last, identity: node.identity, reachable: false };
      return;
    }
    if (node.reachable && !watched.heardOf) {
      watched.heardOf = true;
      watched.bootId = node.bootId;
    }
    if (watched.heardOf && node.bootId !== watched.bootId) watched.crashed = true;
    const atTarget = node.revision === targetRevision;
    if (atTarget || watched.wave >= this.record.releasedWaves)
      watched.since = sum(watched.since, countedBetween(last, node));
    if (!atTarget && last.revision !== targetRevision)
      watched.before = { counters: node.counters, failing: node.failing };
    watched.seen = node;
  }

  #makeRoom(): boolean {
    if (this.#nodes.size < nodesWatchedMax) return true;
    if (this.#isFull) return false;
    for (const [id, { seen }] of this.#nodes) if (!seen.reachable) return this.#nodes.delete(id);
    this.#isFull = true;
    return false;
  }
}

/**
 * A new process counts from 0. Where the same process counts less than before, a replica has lost a part of the totals: nothing
 * is made up of that.
 */
function countedBetween(last: NodeObservation, now: NodeObservation): OutcomeCounters {
  if (now.bootId !== last.bootId) return now.counters;
  const grown: OutcomeCounters = {
    connects: now.counters.connects - last.counters.connects,
    connectFailures: now.counters.connectFailures - last.counters.connectFailures,
    handshakes: now.counters.handshakes - last.counters.handshakes,
    handshakeFailures: now.counters.handshakeFailures - last.counters.handshakeFailures,
  };
  return Object.values(grown).some((count) => count < 0) ? nothingCounted : grown;
}

export function sum(left: OutcomeCounters, right: OutcomeCounters): OutcomeCounters {
  return {
    connects: left.connects + right.connects,
    connectFailures: left.connectFailures + right.connectFailures,
    handshakes: left.handshakes + right.handshakes,
    handshakeFailures: left.handshakeFailures + right.handshakeFailures,
  };
}
