import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { EventLog } from "../../controlplane/log/event-log.ts";
import { Configuration } from "../../model/configuration.ts";
import { openNextCommit } from "../../model/wire/commit.ts";
import { restoreSnapshot } from "../../model/wire/snapshot.ts";
import type { WatchCommitsResponse } from "../../proto/gen/switchyard/config/v1/config_service.ts";
import { written } from "../support/arbitrary-resource.ts";
import { waitFor } from "../support/wait-for.ts";
import { fillLog } from "./fill-log.ts";
import { readRefusal } from "./refusal-of.ts";
import { RunningControlPlane } from "./running-control-plane.ts";

let running: RunningControlPlane;
beforeEach(async () => {
  running = await RunningControlPlane.start();
});
afterEach(() => running.close());

const farms = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => written({ farm: { name: `farms/f${from + index}` } }));
const createFarm = (id: string) => running.config.createFarm({ farm: { name: `farms/${id}` } });

/** What a follower makes of what it was sent; a beacon ends each line that it can read. */
function follow(messages: readonly WatchCommitsResponse[], configuration = new Configuration()): Configuration {
  let followed = configuration;
  let snapshot: Parameters<typeof restoreSnapshot> | undefined;
  for (const { part } of messages) {
    if (part?.$case === "resources") snapshot?.splice(1, 1, [...(snapshot[1] as never[]), ...part.value.resources]);
    else if (part?.$case === "snapshot") snapshot = [part.value, []];
    else {
      if (snapshot !== undefined) followed = restoreSnapshot(...snapshot);
      snapshot = undefined;
    }
    if (part?.$case !== "commit") continue;
    const opened = openNextCommit(followed.position, part.value);
    if ("fault" in opened) throw new Error(opened.detail);
    followed.apply(opened.commit, opened.position);
  }
  return followed;
}
const kindsOf = (messages: readonly WatchCommitsResponse[]): string[] => messages.map(({ part }) => part?.$case ?? "");
const beaconAt = (revision: number) => (messages: readonly WatchCommitsResponse[]) =>
  messages.some(({ part }) => part?.$case === "beacon" && part.value.revision === BigInt(revision));

describe("a follower", () => {
  test("from 0 is sent every commit, a beacon once it is current, and each new commit as it comes", async () => {
    await fillLog(running.log, farms(0, 5));
    const stream = running.watch();
    await stream.until("a beacon", beaconAt(5));
    expect(kindsOf(stream.messages)).toEqual([...Array.from({ length: 5 }, () => "commit"), "beacon"]);
    await createFarm("new");
    await stream.until("the next beacon", beaconAt(6));
    const configuration = follow(stream.messages);
    const { revision, hash } = running.plane.position;
    expect(configuration.position.revision).toBe(revision);
    expect(Buffer.from(configuration.position.hash)).toEqual(Buffer.from(hash));
    expect(configuration.farms.size).toBe(6);
  });

  test("of an empty log is sent a beacon", async () => {
    const stream = running.watch();
    await stream.until("a beacon", beaconAt(0));
    await createFarm("first");
    await stream.until("the commit", beaconAt(1));
    expect(follow(stream.messages).farms.size).toBe(1);
  });

  test("from the middle is sent the rest, where its hash is the log's", async () => {
    const made = await fillLog(running.log, farms(0, 5));
    const stream = running.watch({ afterRevision: 3n, afterHash: made[2]?.hash ?? new Uint8Array() });
    await stream.until("a beacon", beaconAt(5));
    const commits = stream.messages.flatMap(({ part }) => (part?.$case === "commit" ? [part.value] : []));
    expect(commits.map(({ hash }) => Buffer.from(hash))).toEqual(made.slice(3).map(({ hash }) => Buffer.from(hash)));
  });

  test("that does not know its hash is believed", async () => {
    await fillLog(running.log, farms(0, 5));
    const stream = running.watch({ afterRevision: 5n });
    await stream.until("a beacon", beaconAt(5));
    expect(kindsOf(stream.messages)).toEqual(["beacon"]);
  });

  test.each([
    ["a wrong hash", 3n, new Uint8Array(32)],
    ["a hash of another length", 3n, new Uint8Array(31)],
    ["the hash of another commit", 2n, "third"],
    ["a revision beyond the head", 6n, new Uint8Array(0)],
    ["a revision beyond all numbers", 2n ** 64n - 1n, new Uint8Array(0)],
  ] as const)("with %s is told that it forked", async (_what, afterRevision, hash) => {
    const made = await fillLog(running.log, farms(0, 5));
    const afterHash = hash === "third" ? (made[2]?.hash as Uint8Array) : hash;
    const error = await running.watch({ afterRevision, afterHash, snapshotAllowed: true }).ended();
    expect(error && readRefusal(error)).toMatchObject({
      code: "FAILED_PRECONDITION",
      reason: "FORKED",
      domain: "switchyard",
    });
    await waitFor("no followers", () => running.plane.stats().followers === 0);
  });

  test("hears a beacon again and again while nothing happens", async () => {
    const stream = running.watch();
    await stream.until("three beacons", (messages) => messages.length >= 3);
    expect(kindsOf(stream.messages.slice(0, 3))).toEqual(["beacon", "beacon", "beacon"]);
  });

  test("hears of what another replica commits", async () => {
    const replica = await running.replica();
    try {
      const stream = running.watch();
      await stream.until("a beacon", beaconAt(0));
      await replica.config.createFarm({ farm: { name: "farms/there" } });
      await stream.until("the commit", beaconAt(1));
    } finally {
      await replica.close();
    }
  });
});

describe("a follower that is far behind", () => {
  const behind = async (count: number, snapshotAllowed: boolean) => {
    await fillLog(running.log, farms(0, count));
    const stream = running.watch({ snapshotAllowed });
    await stream.until("a beacon", beaconAt(count));
    const expected = new Configuration();
    return { kinds: new Set(kindsOf(stream.messages)), followed: follow(stream.messages, expected) };
  };

  test("by more than 1000 commits is sent a snapshot, whose digest is right, and then what comes", async () => {
    const { kinds, followed } = await behind(1001, true);
    expect([...kinds]).toEqual(["snapshot", "resources", "beacon"]);
    expect(followed.position).toEqual(await running.log.head());
    expect(followed.farms.size).toBe(1001);
  });

  test("but by no more than 1000, or that takes no snapshot, is sent the commits", async () => {
    const { kinds } = await behind(1000, true);
    expect([...kinds]).toEqual(["commit", "beacon"]);
    await fillLog(running.log, farms(1000, 10));
    const stream = running.watch({ snapshotAllowed: false });
    await stream.until("a beacon", beaconAt(1010));
    expect(follow(stream.messages).farms.size).toBe(1010);
  });

  test("gets the snapshot of one revision, and each commit that comes while it is being sent, once", async () => {
    await fillLog(running.log, farms(0, 5000));
    const stream = running.watch({ snapshotAllowed: true });
    await Promise.all(Array.from({ length: 20 }, (_, index) => createFarm(`new${index}`)));
    await stream.until("a beacon", beaconAt(5020));
    expect(follow(stream.messages).farms.size).toBe(5020);
  });
});

test("a follower that does not read holds back its own stream, not memory and not others", async () => {
  const names = Array.from({ length: 100 }, (_, index) => `${"x".repeat(60)}.${"y".repeat(60)}.n${index}.test`);
  const large = (index: number) =>
    written({
      route: { name: `listeners/edge/routes/r${index}`, match: { serverNames: names }, action: { reject: {} } },
    });
  const made = await fillLog(
    running.log,
    Array.from({ length: 400 }, (_, index) => large(index)),
  );
  // The control plane itself has read them all by then, and has no more to read.
  await running.config.listFarms({});
  const reads = countReads(running.log);
  const slow = running.watch();
  await slow.until("a message", (messages) => messages.length > 0);
  slow.pause();
  const quick = running.watch({ afterRevision: 399n });
  await quick.until("a beacon", beaconAt(400));
  await settled(() => reads.first());
  // One batch is being sent, and the next may have been read while the first still fitted into the connection.
  expect(reads.first()).toBeLessThanOrEqual(128);
  slow.resume();
  await slow.until("a beacon", beaconAt(400));
  const commits = slow.messages.flatMap(({ part }) => (part?.$case === "commit" ? [Buffer.from(part.value.hash)] : []));
  expect(commits).toEqual(made.map(({ hash }) => Buffer.from(hash)));
});

/** Counts what is read of a log from its start on, by whoever reads in order. */
function countReads(log: EventLog): { readonly first: () => number } {
  const read = log.read.bind(log);
  let next = 0;
  log.read = async (after, limit) => {
    const commits = await read(after, limit);
    if (after === next) next += commits.length;
    return commits;
  };
  return { first: () => next };
}

/** Waits until a number stands still over many turns in which the server has answered others. */
async function settled(look: () => number): Promise<void> {
  for (let same = 0, last = look(); same < 50; same += 1) {
    await running.config.listCommits({ pageSize: 1 });
    if (look() !== last) same = 0;
    last = look();
  }
}

describe("followers are counted", () => {
  test("as they come and go, without a word about leaks", async () => {
    const warnings: unknown[] = [];
    const hear = (warning: Error): unknown => warnings.push(warning);
    process.on("warning", hear);
    try {
      const streams = Array.from({ length: 30 }, () => running.watch());
      await waitFor("30 followers", () => running.plane.stats().followers === 30);
      for (const stream of streams) stream.cancel();
      await waitFor("no followers", () => running.plane.stats().followers === 0);
    } finally {
      process.off("warning", hear);
    }
    expect(warnings).toEqual([]);
  });

  test("down to none when the server closes, which ends their streams", async () => {
    const streams = Array.from({ length: 3 }, () => running.watch());
    for (const stream of streams) await stream.until("a beacon", beaconAt(0));
    await running.restart();
    for (const stream of streams) expect(await stream.ended()).toBeUndefined();
    expect(running.plane.stats().followers).toBe(0);
  });
});
