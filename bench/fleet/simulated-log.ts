import { type Commit, type Position, type SealedCommit } from "../../model/commit.ts";
import { Configuration } from "../../model/configuration.ts";
import type { ConfigEvent } from "../../model/event.ts";
import { sealCommit } from "../../model/wire/commit.ts";

/** A log that takes every commit, in memory, and what it comes to. */
export class SimulatedLog {
  readonly #commits: SealedCommit[] = [];
  readonly #configuration = new Configuration();

  get head(): Position {
    return this.#configuration.position;
  }

  /** What every follower must come to. */
  get digest(): Uint8Array {
    return this.#configuration.digest;
  }

  get resourceCount(): number {
    return this.#configuration.size;
  }

  append(events: readonly ConfigEvent[], timeMs: number): SealedCommit {
    const { epoch, revision: before, hash: parentHash } = this.head;
    const revision = before + 1;
    const commit: Commit = {
      epoch,
      revision,
      parentHash,
      requestId: `simulated-${revision}`,
      requestDigest: new Uint8Array(32),
      author: "bench",
      reason: "",
      timeMs,
      events,
    };
    const sealed = sealCommit(commit);
    this.#configuration.apply(commit, { epoch, revision, hash: sealed.hash });
    this.#commits.push(sealed);
    return sealed;
  }

  /** The commit of a revision; undefined beyond the head. */
  at(revision: number): SealedCommit | undefined {
    return this.#commits[revision - 1];
  }
}
