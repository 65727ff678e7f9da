import type { Commit, Position, SealedCommit } from "../../model/commit.ts";
import { type Change, Configuration } from "../../model/configuration.ts";
import { type Releases, releasesAfter } from "../../model/releases.ts";
import type { Steps } from "../../model/steps.ts";

/** What a track holds beside its configuration; past a limit, the log is folded anew for what lies there. */
export interface TrackLimits {
  /** Bodies of commits that are known and wait for their release. */
  readonly waitingBytesMax: number;
  /** Commits that can be taken back at once, what they changed, and their bodies. */
  readonly undoCommitsMax: number;
  readonly undoChangesMax: number;
  readonly undoBytesMax: number;
}

export const trackLimitsDefault: TrackLimits = {
  waitingBytesMax: 128 * 1024 * 1024,
  undoCommitsMax: 256,
  undoChangesMax: 200_000,
  undoBytesMax: 64 * 1024 * 1024,
};

/** How far the log is known, and what is released by its commits up to there. */
export interface Known {
  readonly position: Position;
  readonly releases: Releases;
}

export interface HeldCommit {
  readonly commit: Commit;
  readonly position: Position;
  readonly sealed: SealedCommit;
}

interface Undo extends HeldCommit {
  readonly changes: readonly Change[];
  readonly before: Pick<Configuration, "position" | "releases">;
}

/** What a way along the log did, commit by commit. */
export interface Move {
  readonly changes: readonly (readonly Change[])[];
  /** Commits that the configuration has now and had not before; none of a way back. */
  readonly commits: readonly SealedCommit[];
}

/**
 * A configuration that moves along the log: forward by commits that are known and wait, and back by taking back what the
 * last ones changed. What is known of the log may be further on than the configuration.
 */
export class RevisionTrack {
  readonly configuration: Configuration;
  readonly #limits: TrackLimits;
  #known: Known;
  /** Those that follow the configuration, without a gap. */
  #waiting: HeldCommit[] = [];
  #waitingBytes = 0;
  /** Commits behind those that wait were let go. */
  #letGo = false;
  #undo: Undo[] = [];
  #undoChanges = 0;
  #undoBytes = 0;

  constructor(configuration = new Configuration(), limits = trackLimitsDefault) {
    this.configuration = configuration;
    this.#limits = limits;
    const { position, releases } = configuration;
    this.#known = { position, releases };
  }

  get known(): Known {
    return this.#known;
  }

  /** The log is known one commit further. */
  learn(held: HeldCommit): void {
    const { commit, position, sealed } = held;
    this.#known = { position, releases: releasesAfter(this.#known.releases, commit) };
    // One commit alone is always held, however big: the next thing is to carry it out.
    const tooMuch = this.#waitingBytes + sealed.body.length > this.#limits.waitingBytesMax && this.#waiting.length > 0;
    this.#letGo ||= tooMuch;
    if (this.#letGo) return;
    this.#waiting.push(held);
    this.#waitingBytes += sealed.body.length;
  }

  /** Whether the configuration can be moved there. */
  reaches(revision: number): boolean {
    const at = this.configuration.position.revision;
    return revision >= at - this.#undo.length && revision <= at + this.#waiting.length;
  }

  /** Moves the configuration to a revision within reach. Until the last step it is between two states. */
  *moving(to: number): Steps<Move> {
    const at = this.configuration.position.revision;
    return to < at ? yield* this.#back(at - to) : yield* this.#forward(to - at);
  }

  *#forward(count: number): Steps<Move> {
    const taken = this.#waiting.splice(0, count);
    const all: (readonly Change[])[] = [];
    for (const held of taken) {
      const { position, releases } = this.configuration;
      const changes = yield* this.configuration.applying(held.commit, held.position);
      this.#waitingBytes -= held.sealed.body.length;
      this.#remember({ ...held, changes, before: { position, releases } });
      all.push(changes);
    }
    return { changes: all, commits: taken.map(({ sealed }) => sealed) };
  }

  *#back(count: number): Steps<Move> {
    const taken = this.#undo.splice(-count);
    const all: (readonly Change[])[] = [];
    for (const { changes, before, sealed } of taken.toReversed()) {
      all.push(yield* this.configuration.undoing(changes, before));
      this.#undoChanges -= changes.length;
      this.#undoBytes -= sealed.body.length;
      this.#waitingBytes += sealed.body.length;
    }
    // They may be released again.
    this.#waiting = [...taken.map(({ commit, position, sealed }) => ({ commit, position, sealed })), ...this.#waiting];
    return { changes: all, commits: [] };
  }

  #remember(undo: Undo): void {
    const { undoCommitsMax, undoChangesMax, undoBytesMax } = this.#limits;
    this.#undo.push(undo);
    this.#undoChanges += undo.changes.length;
    this.#undoBytes += undo.sealed.body.length;
    while (this.#undo.length > undoCommitsMax || this.#undoChanges > undoChangesMax || this.#undoBytes > undoBytesMax) {
      const oldest = this.#undo.shift();
      if (oldest === undefined) return;
      this.#undoChanges -= oldest.changes.length;
      this.#undoBytes -= oldest.sealed.body.length;
    }
  }
}
