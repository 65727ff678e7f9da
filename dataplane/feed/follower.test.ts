import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { origin, type SealedCommit } from "../../model/commit.ts";
import { Configuration } from "../../model/configuration.ts";
import { eventSchemaVersion } from "../../model/event.ts";
import { sealCommit, sealEpochMarker } from "../../model/wire/commit.ts";
import { Commit as WireCommit } from "../../proto/gen/switchyard/config/v1/commits.ts";
import { created, farm, Followed, HandMadeLog, serving } from "../../test/dataplane/followed.ts";

const noBytes = new Uint8Array(0);

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
      { schemaVersion: eventSchemaVersion + 1, fact: { $case: "deleted" as const, value: { name: "farms/a" } } },
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
    expect([followed.applied, followed.follower.position()]).toEqual([[], other.head]);
    await followed.follower.beacon(other.head);
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
