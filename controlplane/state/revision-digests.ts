import type { Configuration } from "../../model/configuration.ts";
import { nothingReleased, type ReleasedRevisions, type Releases } from "../../model/releases.ts";

/** Digests of this many revisions are kept, to compare with what nodes report. */
const digestsKept = 10_000;

/** The digests of recent revisions, and of those that nodes run, however old. */
export class RevisionDigests {
  readonly #recent = new Map<number, Uint8Array>();
  #inUse = new Map<number, Uint8Array>();
  #releases = nothingReleased;

  /** The digest of the configuration as it is now. To be told of each revision in turn. */
  remember({ position, digest, releases }: Configuration): void {
    this.#recent.set(position.revision, digest);
    if (releases !== this.#releases) this.#keepInUse(releases);
    this.#recent.delete(position.revision - digestsKept);
  }

  /** One that was looked up, of a revision that nodes run. */
  add(revision: number, digest: Uint8Array): void {
    this.#inUse.set(revision, digest);
  }

  at(revision: number): Uint8Array | undefined {
    return this.#recent.get(revision) ?? this.#inUse.get(revision) ?? this.#ofTarget(revision);
  }

  /** Revisions that nodes run, or may be taken back to at once, whose digest nobody has said. */
  missing(): readonly number[] {
    return revisionsInUse(this.#releases).filter((revision) => revision > 0 && this.at(revision) === undefined);
  }

  #keepInUse(releases: Releases): void {
    const kept = new Map<number, Uint8Array>();
    for (const revision of revisionsInUse(releases)) {
      const digest = this.at(revision);
      if (digest !== undefined) kept.set(revision, digest);
    }
    this.#inUse = kept;
    this.#releases = releases;
  }

  /** A rollout says what it releases. */
  #ofTarget(revision: number): Uint8Array | undefined {
    const record = this.#releases.rollouts.findLast(({ start }) => start.targetRevision === revision);
    return record?.start.targetDigest;
  }
}

function revisionsInUse({ base, layers, prior }: Releases): readonly number[] {
  const of = (released: ReleasedRevisions): number[] => [
    released.base,
    ...released.layers.map((each) => each.revision),
  ];
  return [...new Set([...of({ base, layers }), ...(prior === null ? [] : of(prior))])];
}
