import { describe, expect, it } from "vitest";
import { origin } from "../../model/commit.ts";
import { Configuration } from "../../model/configuration.ts";
import { created, Followed, HandMadeLog, serving } from "../../test/dataplane/followed.ts";

describe("a node that kept what it served", () => {
  it("serves that before anything is heard of the log, and goes on from there once it hears the log's end", async () => {
    const log = new HandMadeLog();
    log.append(created("a"), created("b"));
    const followed = new Followed();
    await followed.follower.resume(Configuration.restore(log.head, [...log.configuration.resources()]));
    expect(followed.applied).toMatchObject([{ names: ["farms/a", "farms/b"], revision: 1 }]);
    expect(followed.follower.status).toMatchObject({ loaded: true, position: log.head, feed: "disconnected" });
    expect(followed.follower.position()).toEqual(log.head);
    await followed.follower.commit(log.append(created("c")));
    expect(followed.follower.status).toMatchObject({ position: { revision: 1 }, logPosition: log.head });
    await followed.follower.beacon(log.head);
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

  it("takes no harm from a commit that is on its way to what is served", async () => {
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
