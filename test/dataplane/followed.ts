import { expect } from "vitest";
import { Follower } from "../../dataplane/feed/follower.ts";
import { type TrackLimits, trackLimitsDefault } from "../../dataplane/feed/revision-track.ts";
import type { Commit, Position, SealedCommit } from "../../model/commit.ts";
import { type Change, Configuration } from "../../model/configuration.ts";
import type { ConfigEvent, LogEvent } from "../../model/event.ts";
import type { NodeIdentity } from "../../model/node-identity.ts";
import type { Resource } from "../../model/resource.ts";
import { sealCommit } from "../../model/wire/commit.ts";
import { written } from "../support/arbitrary-resource.ts";

const noBytes = new Uint8Array(0);

export function created(id: string): ConfigEvent {
  return { type: "created", resource: farm(id) };
}

export function farm(id: string, connectAttemptsMax = 3): Resource {
  return written({ farm: { name: `farms/${id}`, connectAttemptsMax } });
}

/** A log that is written by hand; two that are given the same commits are the same. */
export class HandMadeLog {
  readonly commits: SealedCommit[] = [];
  readonly configuration = new Configuration();
  readonly #author: string;

  constructor(author = "one") {
    this.#author = author;
  }

  get head(): Position {
    return this.configuration.position;
  }

  next(...events: readonly LogEvent[]): Commit {
    const { epoch, revision, hash } = this.head;
    const by = { requestId: `r${revision}`, requestDigest: noBytes, author: this.#author, reason: "", timeMs: 0 };
    return { epoch, revision: revision + 1, parentHash: hash, ...by, events };
  }

  append(...events: readonly LogEvent[]): SealedCommit {
    const commit = this.next(...events);
    const sealed = sealCommit(commit);
    this.configuration.apply(commit, { epoch: commit.epoch, revision: commit.revision, hash: sealed.hash });
    this.commits.push(sealed);
    return sealed;
  }
}

export const someNode: NodeIdentity = { id: "n1", region: "eu", labels: { rack: "1" } };

/** A follower, and what it had carried out. */
export class Followed {
  readonly applied: {
    readonly names: readonly string[];
    readonly revision: number;
    readonly changes: readonly Change[];
  }[] = [];
  states = 0;
  readonly follower: Follower;
  /** What was told to be kept, and the revision that was carried out by then. */
  readonly journal: string[] = [];

  constructor(identity: NodeIdentity = someNode, limits: Partial<TrackLimits> = {}) {
    this.follower = this.#newFollower(identity, { ...trackLimitsDefault, ...limits });
  }

  #newFollower(identity: NodeIdentity, limits: TrackLimits): Follower {
    return new Follower(
      identity,
      async (changes, { revision }) => {
        const names = changes.map(
          ({ before, after }) => `${after === null ? "-" : ""}${(after ?? before)?.name ?? ""}`,
        );
        this.applied.push({ names, revision, changes });
      },
      () => {
        this.states += 1;
      },
      {
        changing: () => this.journal.push("changing"),
        committed: (commits, served) => {
          expect(served.position.hash).toEqual(commits.at(-1)?.hash);
          this.journal.push(`committed ${served.position.revision} after ${this.applied.at(-1)?.revision}`);
        },
        replaced: (served) =>
          this.journal.push(`replaced ${served.position.revision} after ${this.applied.at(-1)?.revision}`),
      },
      limits,
    );
  }

  /** What the feed would bring from where the follower stands. */
  async follow(log: HandMadeLog): Promise<void> {
    for (const sealed of log.commits.slice(this.follower.position().revision)) await this.follower.commit(sealed, true);
    await this.follower.beacon(log.head);
  }
}

/** A follower that serves a log of three farms. */
export async function serving(): Promise<{ log: HandMadeLog; followed: Followed }> {
  const log = new HandMadeLog();
  log.append(created("a"));
  log.append(created("b"), created("c"));
  const followed = new Followed();
  await followed.follow(log);
  return { log, followed };
}
