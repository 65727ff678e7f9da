import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SealedCommit } from "../../model/commit.ts";
import type { NodeIdentity } from "../../model/node-identity.ts";
import { wholeFleet } from "../../model/rollout-policy.ts";
import { created, farm, Followed, someNode } from "../../test/dataplane/followed.ts";
import { ReleaseLog } from "../../test/dataplane/release-log.ts";
import { runSeed } from "../../test/support/seeded-random.ts";
import type { TrackLimits } from "./revision-track.ts";

/** A node that serves revision 2, the newest before commits wait for rollouts. */
async function staged(limits: Partial<TrackLimits> = {}): Promise<{ log: ReleaseLog; followed: Followed }> {
  const log = new ReleaseLog();
  log.append(created("a"), created("b"));
  log.stage();
  const followed = new Followed(someNode, limits);
  await followed.follow(log);
  followed.applied.length = 0;
  followed.journal.length = 0;
  return { log, followed };
}

/** As a feed does that is rejected: it asks for the position, and brings what follows. */
async function insist(followed: Followed, log: ReleaseLog): Promise<string[]> {
  const rejections: string[] = [];
  for (let attempt = 0; attempt < 4; attempt += 1) {
    try {
      await followed.follow(log);
      return rejections;
    } catch (error) {
      rejections.push(String(error));
    }
  }
  throw new Error(`never settled: ${rejections.join("; ")}`);
}

function revisions(followed: Followed): readonly number[] {
  return followed.applied.map(({ revision }) => revision);
}

function servesWhatIsReleased(followed: Followed, log: ReleaseLog, identity: NodeIdentity = someNode): void {
  const revision = log.effective(identity);
  const { position, digest } = log.at(revision);
  expect(followed.follower.status).toMatchObject({
    position,
    digest,
    logPosition: log.head,
    releasedRevision: revision,
  });
  expect(followed.follower.serving.digest).toEqual(digest);
}

describe("commits that wait for a rollout", () => {
  it("are known and not served, until the node's wave is released; then all of them are one step", async () => {
    const { log, followed } = await staged();
    await followed.follower.commit(log.append(created("c")));
    await followed.follower.commit(log.append({ type: "updated", resource: farm("a", 5) }, created("d")));
    expect([followed.applied, followed.follower.position()]).toEqual([[], log.head]);
    servesWhatIsReleased(followed, log);
    const others = { ...wholeFleet, regions: ["us"] };
    await followed.follower.commit(log.release(4, [others, wholeFleet]));
    expect(followed.applied).toEqual([]);
    await followed.follower.commit(log.releaseWave(1));
    expect(followed.applied).toMatchObject([{ names: ["farms/c", "farms/a", "farms/d"], revision: 4 }]);
    servesWhatIsReleased(followed, log);
    await followed.follower.commit(log.complete());
    expect(revisions(followed)).toEqual([4]);
    expect(followed.follower.position()).toEqual(log.head);
  });

  it("are let go past a limit of bytes, and folded anew when they are released", async () => {
    const { log, followed } = await staged({ waitingBytesMax: 200 });
    for (const id of ["c", "d", "e", "f", "g"]) await followed.follower.commit(log.append(created(id)));
    const { digest } = followed.follower.status;
    await expect(followed.follower.commit(log.release(7))).rejects.toThrow("revision 7 is out of reach");
    // It serves on while the log is on its way, or not to be had.
    followed.follower.state("disconnected");
    expect(followed.follower.status).toMatchObject({ position: { revision: 2 }, digest, loaded: true });
    await insist(followed, log);
    expect(revisions(followed)).toEqual([7]);
    servesWhatIsReleased(followed, log);
  });
});

describe("a rollout that is rolled back", () => {
  it("is a step back from memory at once, and can be released again", async () => {
    const { log, followed } = await staged();
    await followed.follower.commit(log.append(created("c"), { type: "deleted", name: "farms/a" }));
    await followed.follower.commit(log.append({ type: "updated", resource: farm("b", 9) }));
    await followed.follower.commit(log.release(4));
    await followed.follower.commit(log.rollBack());
    expect(followed.applied.at(-1)).toMatchObject({
      revision: 2,
      names: expect.arrayContaining(["-farms/c", "farms/a"]),
    });
    servesWhatIsReleased(followed, log);
    await followed.follower.commit(log.release(3));
    await followed.follower.commit(log.release(4));
    expect(revisions(followed)).toEqual([4, 2, 3, 4]);
    servesWhatIsReleased(followed, log);
  });

  it.each<[limit: string, Partial<TrackLimits>, fromMemory: boolean]>([
    ["none", {}, true],
    ["commits", { undoCommitsMax: 1 }, false],
    ["changes", { undoChangesMax: 2 }, false],
    ["bytes", { undoBytesMax: 200 }, false],
  ])(
    "further than is held, by a limit of %s, is folded anew beside what is served",
    async (_limit, limits, fromMemory) => {
      const { log, followed } = await staged(limits);
      for (const id of ["c", "d", "e"]) await followed.follower.commit(log.append(created(id)));
      await followed.follower.commit(log.release(5));
      const back = followed.follower.commit(log.rollBack());
      if (fromMemory) await back;
      else {
        await expect(back).rejects.toThrow("revision 2 is out of reach");
        expect(followed.follower.snapshotRevisionMax).toBe(2);
        expect(followed.follower.status.position.revision).toBe(5);
        await insist(followed, log);
      }
      expect(followed.applied.map(({ revision, names }) => [revision, names.toSorted()])).toEqual([
        [5, ["farms/c", "farms/d", "farms/e"]],
        [2, ["-farms/c", "-farms/d", "-farms/e"]],
      ]);
      servesWhatIsReleased(followed, log);
      expect(followed.follower.snapshotRevisionMax).toBeUndefined();
    },
  );

  it("while the node was away is never served", async () => {
    const { log, followed } = await staged();
    followed.follower.state("disconnected");
    log.append(created("bad"));
    log.release(3);
    log.rollBack();
    log.append(created("good"));
    log.release(3);
    log.rollBack();
    for (const sealed of log.commits.slice(followed.follower.position().revision))
      await followed.follower.commit(sealed);
    await followed.follower.beacon(log.head);
    expect(followed.applied).toEqual([]);
    servesWhatIsReleased(followed, log);
  });

  it("is never served by a node that starts, whether undo reaches or not", async () => {
    const log = new ReleaseLog();
    log.append(created("a"));
    log.stage();
    for (const id of ["x", "y", "z"]) log.append(created(id));
    log.release(5);
    log.rollBack();
    for (const undoCommitsMax of [256, 0]) {
      const followed = new Followed(someNode, { undoCommitsMax });
      expect(await insist(followed, log)).toHaveLength(undoCommitsMax === 0 ? 1 : 0);
      expect(revisions(followed)).toEqual([2]);
      servesWhatIsReleased(followed, log);
    }
  });
});

describe("a node acts on what is released", () => {
  it("only while it knows the log to its end", async () => {
    const { log, followed } = await staged();
    const waits = async (sealed: SealedCommit, more: boolean): Promise<void> => {
      await followed.follower.commit(sealed, more);
      expect(followed.applied).toEqual([]);
    };
    await waits(log.append(created("c")), true);
    await waits(log.release(3), false);
    await followed.follower.beacon(log.position(3));
    expect(followed.applied).toEqual([]);
    await followed.follower.beacon(log.head);
    expect(revisions(followed)).toEqual([3]);
  });

  it("after a snapshot, once the end of the log is heard", async () => {
    const { log, followed } = await staged();
    log.append(created("c"));
    log.release(3);
    await followed.follower.snapshot(log.at(3));
    expect([followed.follower.position().revision, followed.applied]).toEqual([3, []]);
    await insist(followed, log);
    expect(revisions(followed)).toEqual([3]);
    servesWhatIsReleased(followed, log);
  });

  it("and folds the log itself where a snapshot turns out to be ahead of that", async () => {
    const { log, followed } = await staged();
    log.append(created("c"));
    log.release(3);
    log.rollBack();
    await followed.follower.snapshot(log.at(3));
    expect(await insist(followed, log)).toHaveLength(1);
    expect(followed.applied).toMatchObject([{ revision: 2, names: [] }]);
    servesWhatIsReleased(followed, log);
  });
});

describe("what is kept", () => {
  it("goes on commit by commit where one changes the configuration, and is replaced where several do, or by a step back", async () => {
    const { log, followed } = await staged();
    await followed.follower.commit(log.append(created("c")));
    await followed.follower.commit(log.release(3));
    await followed.follower.commit(log.append(created("d")));
    await followed.follower.commit(log.release(5));
    await followed.follower.commit(log.rollBack());
    await followed.follower.commit(log.append(created("e")));
    await followed.follower.commit(log.release(8));
    expect(followed.journal.filter((each) => each !== "changing")).toEqual([
      "committed 3 after 3",
      "committed 5 after 5",
      "replaced 3 after 3",
      "replaced 8 after 8",
    ]);
  });

  it("is served at a start until the log's end is heard, though it was taken back; then the log is folded anew", async () => {
    const { log } = await staged();
    log.append(created("c"));
    log.release(3);
    const followed = new Followed(someNode);
    await followed.follower.resume(log.at(3));
    log.rollBack();
    for (const sealed of log.commits.slice(3)) await followed.follower.commit(sealed);
    expect(followed.follower.status).toMatchObject({ position: { revision: 3 }, releasedRevision: 2, loaded: true });
    await insist(followed, log);
    expect(revisions(followed)).toEqual([3, 2]);
    servesWhatIsReleased(followed, log);
  });
});

type Doing = "change" | "stage" | "release" | "older" | "wave" | "complete" | "roll back" | "away" | "back";
const doings: readonly Doing[] = [
  "change",
  "stage",
  "release",
  "older",
  "wave",
  "complete",
  "roll back",
  "away",
  "back",
];
const elsewhere = { ...wholeFleet, regions: ["us"] };

function act(log: ReleaseLog, doing: Doing, count: number): void {
  const { revision } = log.head;
  if (doing === "change")
    log.append(created(`f${count % 7}`), { type: "updated", resource: farm(`f${count % 3}`, (count % 9) + 1) });
  if (doing === "stage") log.stage();
  if (doing === "release") log.release(revision, [elsewhere, wholeFleet]);
  if (doing === "older") log.release(Math.max(0, revision - 1 - (count % 5)));
  if (doing === "wave") log.releaseWave(1);
  if (doing === "complete") log.complete();
  if (doing === "roll back") log.rollBack();
}

describe("whatever is committed, released and taken back", () => {
  it("the node serves the log folded to what is released to it, and passed through nothing that was not", async () => {
    const setting = fc.record({
      region: fc.constantFrom("eu", "us"),
      undoCommitsMax: fc.constantFrom(0, 1, 3, 256),
      waitingBytesMax: fc.constantFrom(300, 1_000_000),
      doing: fc.array(fc.constantFrom(...doings), { maxLength: 40, size: "max" }),
    });
    const law = fc.asyncProperty(setting, async ({ region, doing, ...limits }) => {
      const identity = { ...someNode, region };
      const log = new ReleaseLog();
      const followed = new Followed(identity, limits);
      await followed.follow(log);
      const allowed = new Set([0]);
      let away = false;
      for (const [count, each] of doing.entries()) {
        act(log, each, count);
        if (each === "away") followed.follower.state("disconnected");
        if (each === "away" || each === "back") away = each === "away";
        if (away) continue;
        allowed.add(log.effective(identity));
        const live = log.commits.slice(followed.follower.position().revision);
        const followLive = async (): Promise<void> => {
          for (const sealed of live) await followed.follower.commit(sealed);
        };
        await followLive().catch((error: unknown) => expect(String(error)).toContain("out of reach"));
        await insist(followed, log);
        servesWhatIsReleased(followed, log, identity);
      }
      for (const revision of revisions(followed)) expect(allowed).toContain(revision);
    });
    await fc.assert(law, { seed: runSeed(), numRuns: 60 });
  });
});
