import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { type Commit, origin, type Position, type SealedCommit } from "../../model/commit.ts";
import { type Change, Configuration } from "../../model/configuration.ts";
import type { ConfigEvent } from "../../model/event.ts";
import type { Resource } from "../../model/resource.ts";
import { sealCommit, sealEpochMarker } from "../../model/wire/commit.ts";
import { Commit as WireCommit } from "../../proto/gen/switchyard/config/v1/commits.ts";
import { written } from "../../test/support/arbitrary-resource.ts";
import { Follower } from "./follower.ts";

const noBytes = new Uint8Array(0);

function created(id: string): ConfigEvent {
  return { type: "created", resource: farm(id) };
}

function farm(id: string, connectAttemptsMax = 3): Resource {
  return written({ farm: { name: `farms/${id}`, connectAttemptsMax } });
}

/** A log that is written by hand; two that are given the same commits are the same. */
class HandMadeLog {
  readonly commits: SealedCommit[] = [];
  readonly configuration = new Configuration();
  readonly #author: string;

  constructor(author = "one") {
    this.#author = author;
  }

  get head(): Position {
    return this.configuration.position;
  }

  next(...events: readonly ConfigEvent[]): Commit {
    const { epoch, revision, hash } = this.head;
    const by = { requestId: `r${revision}`, requestDigest: noBytes, author: this.#author, reason: "", timeMs: 0 };
    return { epoch, revision: revision + 1, parentHash: hash, ...by, events };
  }

  append(...events: readonly ConfigEvent[]): SealedCommit {
    const commit = this.next(...events);
    const sealed = sealCommit(commit);
    this.configuration.apply(commit, { epoch: commit.epoch, revision: commit.revision, hash: sealed.hash });
    this.commits.push(sealed);
    return sealed;
  }
}

/** A follower, and what it had carried out. */
class Followed {
  readonly applied: {
    readonly names: readonly string[];
    readonly revision: number;
    readonly changes: readonly Change[];
  }[] = [];
  states = 0;
  readonly follower = new Follower(
    async (changes, { revision }) => {
      const names = changes.map(({ before, after }) => `${after === null ? "-" : ""}${(after ?? before)?.name ?? ""}`);
      this.applied.push({ names, revision, changes });
    },
    () => {
      this.states += 1;
    },
    {
      changing: () => this.journal.push("changing"),
      committed: (sealed, served) => {
        expect(served.position.hash).toEqual(sealed.hash);
        this.journal.push(`committed ${served.position.revision} after ${this.applied.at(-1)?.revision}`);
      },
      replaced: (served) =>
        this.journal.push(`replaced ${served.position.revision} after ${this.applied.at(-1)?.revision}`),
    },
  );
  /** What was told to be kept, and the revision that was carried out by then. */
  readonly journal: string[] = [];

  /** What the feed would bring from where the follower stands. */
  async follow(log: HandMadeLog): Promise<void> {
    for (const sealed of log.commits.slice(this.follower.position().revision)) await this.follower.commit(sealed);
    await this.follower.beacon(log.head);
  }
}

/** A follower that serves a log of three farms. */
async function serving(): Promise<{ log: HandMadeLog; followed: Followed }> {
  const log = new HandMadeLog();
  log.append(created("a"));
  log.append(created("b"), created("c"));
  const followed = new Followed();
  await followed.follow(log);
  return { log, followed };
}

describe("a follower that starts", () => {
  it("serves nothing until the head is heard, and then the whole at once", async () => {
    const log = new HandMadeLog();
    log.append(created("a"), created("old"));
    log.append({ type: "deleted", name: "farms/old" }, created("b"));
    const followed = new Followed();
    for (const sealed of log.commits) await followed.follower.commit(sealed);
    expect([followed.applied, followed.follower.position()]).toEqual([[], log.head]);
    expect(followed.follower.status).toMatchObject({ loaded: false, position: origin });
    await followed.follower.beacon(log.head);
    expect(followed.applied).toMatchObject([{ names: ["farms/a", "farms/b"], revision: 2 }]);
    expect(followed.follower.status).toMatchObject({ loaded: true, position: log.head, stalled: undefined });
    expect(followed.follower.status.position.revision).toBe(2);
  });

  it("is loaded by an empty log too", async () => {
    const followed = new Followed();
    await followed.follower.beacon(origin);
    expect(followed.follower.status).toMatchObject({ loaded: true, position: origin });
  });

  it.each([
    ["further on", { epoch: 1, revision: 3, hash: noBytes }],
    ["behind", { epoch: 1, revision: 1, hash: noBytes }],
    ["another commit", { epoch: 1, revision: 2, hash: new Uint8Array(32) }],
  ])("is not loaded by a head that is not where it is: %s", async (_what, head) => {
    const log = new HandMadeLog();
    log.append(created("a"));
    log.append(created("b"));
    const followed = new Followed();
    for (const sealed of log.commits) await followed.follower.commit(sealed);
    await followed.follower.beacon(head);
    expect([followed.follower.status.loaded, followed.applied]).toEqual([false, []]);
  });
});

describe("a follower", () => {
  it("carries out commit by commit, and has the digest of the log at each", async () => {
    const { log, followed } = await serving();
    followed.applied.length = 0;
    const updated = { type: "updated", resource: farm("a", 5) } as const;
    for (const events of [[created("d")], [updated, { type: "deleted", name: "farms/b" } as const]]) {
      await followed.follower.commit(log.append(...events));
      const { position, digest } = log.configuration;
      expect(followed.follower.status).toMatchObject({ position, digest });
      expect(followed.follower.status.position.revision).toBe(log.head.revision);
    }
    expect(followed.applied).toMatchObject([
      { names: ["farms/d"], revision: 3 },
      { names: ["farms/a", "-farms/b"], revision: 4 },
    ]);
  });

  it("carries out what one commit deletes and creates anew as one change", async () => {
    const { log, followed } = await serving();
    const anew = farm("a", 9);
    await followed.follower.commit(
      log.append({ type: "deleted", name: "farms/a" }, { type: "created", resource: anew }),
    );
    expect(followed.applied.at(-1)?.changes).toMatchObject([{ before: farm("a"), after: anew }]);
  });

  it("tells of the feed's state once for each change", async () => {
    const { followed } = await serving();
    followed.states = 0;
    for (const state of ["following", "following", "disconnected"] as const) followed.follower.state(state);
    expect(followed.states).toBe(2);
    expect(followed.follower.status.feed).toBe("disconnected");
  });
});

type Spoil = (log: HandMadeLog) => SealedCommit;

const broken: readonly (readonly [what: string, fault: string, next: Spoil])[] = [
  [
    "a gap",
    "broken_chain",
    (log) => {
      log.append(created("lost"));
      return log.append(created("d"));
    },
  ],
  ["a commit that it has already", "broken_chain", (log) => log.commits.at(-1) as SealedCommit],
  [
    "a commit on another parent",
    "broken_chain",
    (log) => sealCommit({ ...log.next(), parentHash: new Uint8Array(32) }),
  ],
  [
    "a hash that is not the body's",
    "hash_mismatch",
    (log) => ({ ...log.append(created("d")), hash: new Uint8Array(32) }),
  ],
  [
    "a flipped bit",
    "hash_mismatch",
    (log) => {
      const { body, hash } = log.append(created("d"));
      return { body: body.map((byte, at) => (at === 20 ? byte ^ 1 : byte)), hash };
    },
  ],
];

describe("a log that was rebuilt", () => {
  it("goes on under a later epoch, and never under an earlier one", async () => {
    const { log, followed } = await serving();
    const { revision } = log.head;
    const marker = sealEpochMarker(log.head, 3, "rebuilt", 0);
    await followed.follower.commit(marker);
    expect(followed.follower.status.position).toEqual({ epoch: 3, revision: revision + 1, hash: marker.hash });
    const earlier = sealEpochMarker(followed.follower.status.position, 2, "late", 0);
    await expect(followed.follower.commit(earlier)).rejects.toThrow("broken_chain");
  });
});

describe("a log that can't be followed further", () => {
  it.each(broken)(
    "by %s leaves the node serving what it has, says so, and is folded anew",
    async (_what, fault, next) => {
      const { log, followed } = await serving();
      const { position } = followed.follower.status;
      followed.applied.length = 0;
      await expect(followed.follower.commit(next(log))).rejects.toThrow(fault);
      const { status } = followed.follower;
      expect(status).toMatchObject({ position, loaded: true, stalled: { reason: "broken" } });
      expect(status.stalled?.detail).toContain(fault);
      expect(followed.applied).toEqual([]);
      expect(followed.follower.position()).toEqual(origin);
      // The log itself turns out to be sound: what came was spoilt on its way.
      await followed.follow(log);
      expect(followed.follower.status).toMatchObject({ position: log.head, stalled: undefined });
      expect(followed.applied.flatMap(({ names }) => names)).not.toContain("farms/a");
    },
  );

  it.each([
    [
      "a schema version from the future",
      { schemaVersion: 2, fact: { $case: "deleted" as const, value: { name: "farms/a" } } },
    ],
    ["an event of an unknown kind", { schemaVersion: 1, fact: undefined }],
  ])("for %s leaves the node serving what it has, and waiting where it stands", async (_what, event) => {
    const { log, followed } = await serving();
    followed.applied.length = 0;
    const message = WireCommit.decode(sealCommit(log.next()).body);
    const body = WireCommit.encode({ ...message, events: [event] }).finish();
    const hash = Uint8Array.from(createHash("sha256").update(body).digest());
    await expect(followed.follower.commit({ body, hash })).rejects.toThrow("future_schema");
    expect(followed.follower.status).toMatchObject({ position: log.head, stalled: { reason: "future_schema" } });
    expect(followed.follower.position()).toEqual(log.head);
    expect(followed.applied).toEqual([]);
  });
});

describe("another history", () => {
  it("is folded beside what is served, and taken over with only the difference", async () => {
    const { followed, log } = await serving();
    followed.applied.length = 0;
    const other = new HandMadeLog("other");
    other.append(created("a"), created("b"));
    other.append({ type: "updated", resource: farm("b", 7) }, created("d"));
    followed.follower.forked("the log's commit 2 is another");
    expect(followed.follower.position()).toEqual(origin);
    for (const [index, sealed] of other.commits.entries()) {
      await followed.follower.commit(sealed);
      expect(followed.follower.position().revision).toBe(index + 1);
      expect(followed.follower.status).toMatchObject({ position: log.head, stalled: { reason: "forked" } });
    }
    expect(followed.applied).toEqual([]);
    await followed.follower.beacon(other.head);
    expect(followed.applied).toMatchObject([{ names: ["farms/b", "farms/d", "-farms/c"], revision: 2 }]);
    expect(followed.follower.status).toMatchObject({ position: other.head, stalled: undefined, loaded: true });
    expect(followed.follower.status.digest).toEqual(other.configuration.digest);
  });

  it("goes on from there commit by commit", async () => {
    const { followed } = await serving();
    const other = new HandMadeLog("other");
    other.append(created("a"));
    followed.follower.forked("another");
    await followed.follow(other);
    await followed.follower.commit(other.append(created("e")));
    expect(followed.applied.at(-1)).toMatchObject({ names: ["farms/e"], revision: 2 });
  });

  it("that is empty is a log that was lost: the node keeps what it has, until there is a commit", async () => {
    const { followed, log } = await serving();
    followed.applied.length = 0;
    followed.follower.forked("the log ends at revision 0; you stand at 2");
    await followed.follower.beacon(origin);
    expect(followed.applied).toEqual([]);
    expect(followed.follower.status).toMatchObject({ position: log.head, stalled: { reason: "forked" }, loaded: true });
    const other = new HandMadeLog("other");
    other.append(created("a"), created("b"));
    await followed.follow(other);
    expect(followed.applied).toMatchObject([{ names: ["-farms/c"], revision: 1 }]);
    expect(followed.follower.status.stalled).toBeUndefined();
  });

  it("comes as a snapshot too, and is taken over with only the difference", async () => {
    const { followed } = await serving();
    followed.applied.length = 0;
    const other = new HandMadeLog("other");
    other.append(created("a"), created("b"), created("z"));
    followed.follower.forked("another");
    await followed.follower.snapshot(Configuration.restore(other.head, [...other.configuration.resources()]));
    expect(followed.applied).toMatchObject([{ names: ["farms/z", "-farms/c"], revision: 1 }]);
    expect(followed.follower.status).toMatchObject({ position: other.head, stalled: undefined, loaded: true });
    await followed.follower.commit(other.append(created("y")));
    expect(followed.follower.position()).toEqual(other.head);
  });

  it("may be replaced by yet another while it is folded", async () => {
    const { followed } = await serving();
    const [second, third] = [new HandMadeLog("second"), new HandMadeLog("third")];
    second.append(created("s"));
    third.append(created("t"));
    followed.follower.forked("second");
    await followed.follower.commit(second.commits[0] as SealedCommit);
    followed.follower.forked("third");
    await followed.follow(third);
    expect(followed.follower.status.digest).toEqual(third.configuration.digest);
  });
});

describe("a node that kept what it served", () => {
  it("serves that before anything is heard of the log, and goes on from there", async () => {
    const log = new HandMadeLog();
    log.append(created("a"), created("b"));
    const followed = new Followed();
    await followed.follower.resume(Configuration.restore(log.head, [...log.configuration.resources()]));
    expect(followed.applied).toMatchObject([{ names: ["farms/a", "farms/b"], revision: 1 }]);
    expect(followed.follower.status).toMatchObject({ loaded: true, position: log.head, feed: "disconnected" });
    expect(followed.follower.position()).toEqual(log.head);
    await followed.follower.commit(log.append(created("c")));
    expect(followed.applied.at(-1)).toMatchObject({ names: ["farms/c"], revision: 2 });
    expect(followed.journal).toEqual(["changing", "changing", "committed 2 after 2"]);
  });

  it("is told what to keep once it is carried out, and when it may not look", async () => {
    const { log, followed } = await serving();
    expect(followed.journal).toEqual(["changing", "replaced 2 after 2"]);
    followed.journal.length = 0;
    await followed.follower.commit(log.append(created("d")));
    const other = new HandMadeLog("other");
    other.append(created("x"));
    followed.follower.forked("another");
    await followed.follow(other);
    expect(followed.journal).toEqual(["changing", "committed 3 after 3", "changing", "replaced 1 after 1"]);
  });
});

describe("a resync", () => {
  it("folds the log anew beside what is served, and changes over with only the difference", async () => {
    const { log, followed } = await serving();
    followed.applied.length = 0;
    followed.follower.resync();
    expect(followed.follower.position()).toEqual(origin);
    expect(followed.follower.status).toMatchObject({ position: log.head, loaded: true, stalled: undefined });
    await followed.follow(log);
    expect(followed.applied).toMatchObject([{ names: [], revision: 2 }]);
    await followed.follower.commit(log.append(created("d")));
    expect(followed.follower.status.position.revision).toBe(3);
  });

  it("refuses the commit that was on its way to what is served", async () => {
    const { log, followed } = await serving();
    const events = Array.from({ length: 2000 }, (_, each) => created(`many-${each}`));
    const late = followed.follower.commit(log.append(...events));
    followed.follower.resync();
    await Promise.allSettled([late]);
    await followed.follow(log);
    expect(followed.follower.status.digest).toEqual(log.configuration.digest);
  });
});

describe("a log that ends before where the node stands", () => {
  it("is an alarm, once, and no reason to serve anything else", async () => {
    const { log, followed } = await serving();
    followed.applied.length = 0;
    followed.states = 0;
    for (let second = 0; second < 3; second += 1) followed.follower.behind({ ...log.head, revision: 1 });
    expect(followed.follower.status).toMatchObject({ position: log.head, stalled: { reason: "log_behind" } });
    expect([followed.applied, followed.states]).toEqual([[], 1]);
  });

  it.each<[string, (log: HandMadeLog, followed: Followed) => Promise<void>, boolean]>([
    ["is back at the node's position", async (log, { follower }) => follower.beacon(log.head), true],
    ["goes on from there", async (log, { follower }) => follower.commit(log.append(created("d"))), true],
    [
      "has another commit there",
      async (log, { follower }) => follower.beacon({ ...log.head, hash: new Uint8Array(32) }),
      false,
    ],
    ["is still shorter", async (log, { follower }) => follower.beacon({ ...log.head, revision: 1 }), false],
  ])("is no alarm any more once it %s: %#", async (_what, then, over) => {
    const { log, followed } = await serving();
    followed.follower.behind({ ...log.head, revision: 1 });
    await then(log, followed);
    expect(followed.follower.status.stalled).toEqual(
      over ? undefined : expect.objectContaining({ reason: "log_behind" }),
    );
  });
});
