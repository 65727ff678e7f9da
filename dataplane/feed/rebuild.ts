import type { NodeIdentity } from "../../model/node-identity.ts";
import { effectiveRevision, type Releases } from "../../model/releases.ts";
import { inSlices } from "./in-slices.ts";
import type { HeldCommit, RevisionTrack } from "./revision-track.ts";

/** The revision of a log that is known to `position` that a node serves: none that is not there yet. */
export function wantedRevision(
  identity: NodeIdentity,
  known: { readonly position: { readonly revision: number }; readonly releases: Releases },
): number {
  return Math.min(effectiveRevision(identity, known.releases), known.position.revision);
}

/**
 * The log, folded beside what is served. It goes where the node would stand if the log ended there, so that at its end there
 * is little left to do; nobody sees it on its way.
 */
export class Rebuild {
  readonly track: RevisionTrack;
  /** The revision that is wanted in the end, where that is known; it is not folded further than that on its way. */
  readonly revisionMax: number | undefined;
  readonly #identity: NodeIdentity;

  constructor(identity: NodeIdentity, track: RevisionTrack, revisionMax?: number) {
    this.#identity = identity;
    this.track = track;
    this.revisionMax = revisionMax;
  }

  async learn(held: HeldCommit): Promise<void> {
    this.track.learn(held);
    const { known } = this.track;
    const wanted =
      this.revisionMax === undefined
        ? wantedRevision(this.#identity, known)
        : Math.min(this.revisionMax, known.position.revision);
    await this.#move(wanted);
  }

  /** At the end of the log: moves to the revision that is wanted now. False where that is out of reach. */
  async complete(): Promise<boolean> {
    return this.#move(wantedRevision(this.#identity, this.track.known));
  }

  async #move(to: number): Promise<boolean> {
    if (!this.track.reaches(to)) return false;
    if (to !== this.track.configuration.position.revision) await inSlices(this.track.moving(to));
    return true;
  }
}
