import { origin, type Position, sameBytes, type SealedCommit } from "../../model/commit.ts";
import type { Change, Configuration } from "../../model/configuration.ts";
import { difference } from "../../model/difference.ts";
import type { NodeIdentity } from "../../model/node-identity.ts";
import { openingNext } from "../../model/wire/commit.ts";
import type { CommitSink, FeedState } from "./commit-feed.ts";
import { inSlices } from "./in-slices.ts";
import { netChanges } from "./net-changes.ts";
import { Rebuild, wantedRevision } from "./rebuild.ts";
import { type Move, RevisionTrack, type TrackLimits, trackLimitsDefault } from "./revision-track.ts";
import type { ServedJournal } from "./served-journal.ts";

/** Where the follower stands with the log; for readiness, reports and alarms. */
export interface FollowerState {
  /** What the table is built from. */
  readonly position: Position;
  readonly digest: Uint8Array;
  /** How far the log is known; further on than what is served where commits wait for their release. */
  readonly logPosition: Position;
  /** What is released to the node, as far as the log is known; it is served once the node is sure of the log's end. */
  readonly releasedRevision: number;
  /** Whether the configuration was ever known: a node without one is not ready. */
  readonly loaded: boolean;
  readonly feed: FeedState;
  /** Why the log can't be followed further; undefined while all is well. */
  readonly stalled:
    | { readonly reason: "future_schema" | "forked" | "broken" | "log_behind"; readonly detail: string }
    | undefined;
}

/** Carries out changes, each resource once: the tables first, all of them together; then what takes time, as binding does. */
export type Apply = (changes: readonly Change[], position: Position) => Promise<void>;

/**
 * Follows the log, and has the node serve the revision that is released to it: a function of the log and of who the node
 * is. Commits beyond that are known and wait; what is released then, or taken back, is a step along the log from where the
 * node stands, in memory.
 *
 * It steps only while it knows the log to its end (`#current`). A node that was away reads what it missed first and goes
 * straight to where it belongs: what was released and taken back meanwhile is never served.
 *
 * When the log turns out to have another history (it was rebuilt, or tampered with), or a step is longer than what is held
 * reaches, the node keeps serving what it has, folds the log anew beside it, and changes over once that has reached the
 * head: live traffic sees only the difference. A node that starts does the same, with nothing to serve: no client is routed
 * by what the configuration was long ago. Only a node that has kept what it served last (`resume`) starts with that, as
 * the log may be gone for longer than its clients can wait.
 */
export class Follower implements CommitSink {
  readonly #identity: NodeIdentity;
  readonly #limits: TrackLimits;
  #serving: RevisionTrack;
  #rebuilding: Rebuild | undefined;
  /** Of what is carried out: while a commit is being folded in, `#serving` itself is between two states. */
  #served: Pick<FollowerState, "position" | "digest">;
  /** The end of the log was heard, and nothing since then says that there is more. */
  #current = false;
  #loaded = false;
  #feed: FollowerState["feed"] = "disconnected";
  #stalled: FollowerState["stalled"];
  readonly #apply: Apply;
  readonly #onState: () => void;
  readonly #journal: ServedJournal | undefined;

  /** `onState` is called after anything in `status` changed; `journal` keeps what is served. */
  constructor(
    identity: NodeIdentity,
    apply: Apply,
    onState: () => void,
    journal?: ServedJournal,
    limits: TrackLimits = trackLimitsDefault,
  ) {
    this.#identity = identity;
    this.#limits = limits;
    this.#serving = this.#newTrack();
    this.#rebuilding = this.#newRebuild();
    this.#served = { position: origin, digest: this.serving.digest };
    this.#apply = apply;
    this.#onState = onState;
    this.#journal = journal;
  }

  get status(): FollowerState {
    const { known } = this.#serving;
    const at = { logPosition: known.position, releasedRevision: wantedRevision(this.#identity, known) };
    return { ...this.#served, ...at, loaded: this.#loaded, feed: this.#feed, stalled: this.#stalled };
  }

  /** Of what is served, by name. To be looked at within one turn: between two, it may be half changed. */
  get serving(): Configuration {
    return this.#serving.configuration;
  }

  /** Serves what the node kept from its last life, before anything is heard of the log. */
  async resume(kept: Configuration): Promise<void> {
    await this.#serve(this.#newTrack(kept));
  }

  /** Folds the log anew beside what is served; the feed must then ask for the position again. */
  resync(): void {
    this.#startOver();
  }

  /** How far the log is known, not what is served of it. */
  position(): Position {
    return (this.#rebuilding?.track ?? this.#serving).known.position;
  }

  get snapshotRevisionMax(): number | undefined {
    return this.#rebuilding?.revisionMax;
  }

  async commit(sealed: SealedCommit, more = false): Promise<void> {
    const rebuilding = this.#rebuilding;
    const track = rebuilding?.track ?? this.#serving;
    const opened = await inSlices(openingNext(track.known.position, sealed));
    if ("fault" in opened) {
      const reason = opened.fault === "future_schema" ? "future_schema" : "broken";
      this.#stall({ reason, detail: `${opened.fault}: ${opened.detail}` });
      if (reason === "broken") this.#startOver();
      throw new Error(`${opened.fault}: ${opened.detail}`);
    }
    if (more) this.#current = false;
    const held = { commit: opened.commit, position: opened.position, sealed };
    if (rebuilding !== undefined) return rebuilding.learn(held);
    track.learn(held);
    // It continues what the node has, so the log is beyond it again.
    const wasBehind = this.#stalled?.reason === "log_behind";
    if (wasBehind) this.#stalled = undefined;
    if (this.#current) await this.#step(track);
    if (this.#current || wasBehind) this.#onState();
  }

  /** It is beside what is served, as what is folded anew is, until the end of the log is heard. */
  async snapshot(configuration: Configuration): Promise<void> {
    this.#startOver(this.#rebuilding?.revisionMax, configuration);
  }

  async beacon(head: Position): Promise<void> {
    this.#current = isSame(this.position(), head);
    if (!this.#current) return;
    const rebuilding = this.#rebuilding;
    if (rebuilding === undefined) {
      const stepped = await this.#step(this.#serving);
      const news = stepped || !this.#loaded || this.#stalled !== undefined;
      this.#loaded = true;
      this.#stalled = undefined;
      if (news) this.#onState();
      return;
    }
    // A log that has become empty is a log that was lost. It takes a commit to have a node let go of what it serves.
    if (head.revision === 0 && this.#loaded) return;
    if (!(await rebuilding.complete())) this.#foldAnew(rebuilding.track);
    await this.#serve(rebuilding.track);
    this.#journal?.replaced(this.serving);
  }

  state(state: FeedState): void {
    if (state === "disconnected") this.#current = false;
    if (state === this.#feed) return;
    this.#feed = state;
    this.#onState();
  }

  behind({ epoch, revision }: Position): void {
    this.#current = false;
    const at = this.position();
    const detail = `the log ends at ${epoch}/${revision}; the node is at ${at.epoch}/${at.revision}`;
    this.#stall({ reason: "log_behind", detail });
  }

  forked(detail: string): void {
    this.#startOver();
    this.#stall({ reason: "forked", detail });
  }

  #newTrack(from?: Configuration): RevisionTrack {
    return new RevisionTrack(from, this.#limits);
  }

  #newRebuild(revisionMax?: number, from?: Configuration): Rebuild {
    return new Rebuild(this.#identity, this.#newTrack(from), revisionMax);
  }

  #startOver(revisionMax?: number, from?: Configuration): void {
    this.#current = false;
    this.#rebuilding = this.#newRebuild(revisionMax, from);
  }

  /** What is held does not reach to where the node belongs: the feed is asked for the log again. */
  #foldAnew({ known, configuration }: RevisionTrack): never {
    const wanted = wantedRevision(this.#identity, known);
    this.#startOver(wanted);
    const { revision } = configuration.position;
    throw new Error(`the log is folded anew: revision ${wanted} is out of reach from revision ${revision}`);
  }

  /** Steps to the revision that is released to the node now. Answers whether there was anything to do. */
  async #step(track: RevisionTrack): Promise<boolean> {
    const wanted = wantedRevision(this.#identity, track.known);
    if (wanted === this.#served.position.revision) return false;
    if (!track.reaches(wanted)) this.#foldAnew(track);
    this.#journal?.changing();
    const move = await inSlices(track.moving(wanted));
    const { configuration } = track;
    await this.#apply(await inSlices(netChanges(flat(move.changes))), configuration.position);
    this.#noteServed();
    if (continues(move)) this.#journal?.committed(move.commits, configuration);
    else this.#journal?.replaced(configuration);
    return true;
  }

  /** A feed may say the same each second; it is news once. */
  #stall(stalled: NonNullable<FollowerState["stalled"]>): void {
    const before = this.#stalled;
    if (before?.reason === stalled.reason && before.detail === stalled.detail) return;
    this.#stalled = stalled;
    this.#onState();
  }

  #noteServed(): void {
    const { position, digest } = this.serving;
    this.#served = { position, digest };
  }

  async #serve(next: RevisionTrack): Promise<void> {
    const changes = difference(this.serving, next.configuration);
    this.#journal?.changing();
    this.#serving = next;
    this.#rebuilding = undefined;
    await this.#apply(changes, next.configuration.position);
    this.#noteServed();
    this.#loaded = true;
    this.#stalled = undefined;
    this.#onState();
  }
}

/**
 * Whether what is kept may be continued commit by commit. Where several of them change the configuration it may not: a node
 * that dies amid writing them would start with one between, which may never have been released to it.
 */
function continues({ changes, commits }: Move): boolean {
  return commits.length > 0 && changes.slice(0, -1).every(({ length }) => length === 0);
}

function flat(changes: Move["changes"]): readonly Change[] {
  const [first = []] = changes;
  return changes.length > 1 ? changes.flat() : first;
}

function isSame(left: Position, right: Position): boolean {
  return left.revision === right.revision && sameBytes(left.hash, right.hash);
}
