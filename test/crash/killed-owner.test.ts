import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { LogUnavailable } from "../../controlplane/log/event-log.ts";
import { SqliteEventLog } from "../../controlplane/log/sqlite-event-log.ts";
import { acknowledged, startAppender } from "./appender.ts";
import { appendOne, fingerprints, openLog, testDirectory } from "./log-on-disk.ts";

const kills = 50;
const killsAtCreation = 6;

/** On a quiet machine the kills take about 10 s; other work on it must not make them fail. */
const timeoutMs = 300_000;

/** The most commits of one life. */
const acknowledgedMax = 150;

/** How long an open takes, about: kills that are to fall into it come at a random moment of so many milliseconds. */
const openingMs = 15;

/** mulberry32: a sequence from a seed, so that a round that failed can be had again. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Everything that the log at `path` must still hold: each acknowledged commit, once, with its hash, on one chain. */
async function expectNothingLost(path: string, hashes: ReadonlyMap<number, string>): Promise<number> {
  const log = await SqliteEventLog.open({ path });
  try {
    const verification = await log.verify();
    expect(verification).toMatchObject({ intact: true });
    const { revision } = await log.head();
    expect(revision).toBeGreaterThanOrEqual(Math.max(0, ...hashes.keys()));
    const stored = (await log.read(0, revision + 1)).map(({ hash }) => Buffer.from(hash).toString("hex"));
    expect(stored).toHaveLength(revision);
    const lost = [...hashes].filter(([at, hash]) => stored[at - 1] !== hash);
    expect(lost).toEqual([]);
    expect(await log.findRequest(`request-${revision}`)).toBe(revision === 0 ? undefined : revision);
    return revision;
  } finally {
    await log.close();
  }
}

test(
  `an owner that is killed ${kills} times, at any moment, loses no commit that it acknowledged`,
  async () => {
    const seed = Number(process.env["SWITCHYARD_TEST_SEED"]);
    const random = randomFrom(seed);
    const path = join(testDirectory(), "log.sqlite");
    const hashes = new Map<number, string>();
    let killedInOpening = 0;
    let next = startAppender({ path, seed });
    for (let round = 1; round <= kills; round += 1) {
      const owner = next;
      owner.go();
      next = startAppender({ path, seed: seed + round });
      // One round in four dies while it checks, replays or has just opened; the others after a number of commits.
      const inOpening = round % 4 === 0;
      await owner.said(inOpening ? 1 : 2 + Math.floor(random() ** 2 * acknowledgedMax));
      if (inOpening) await delay(random() * openingMs);
      owner.process.kill("SIGKILL");
      await owner.ended;
      expect(owner.process.signalCode, `round ${round} of seed ${seed}: ${owner.lines.at(-1)}`).toBe("SIGKILL");
      if (owner.lines.length === 1) killedInOpening += 1;
      for (const [revision, hash] of acknowledged(owner.lines)) hashes.set(revision, hash);
      // Closing leaves nothing to replay: what dies in opening finds the log as the kill before left it.
      if (round % 4 !== 3) await expectNothingLost(path, hashes);
    }
    next.process.kill("SIGKILL");
    await next.ended;
    await expectNothingLost(path, hashes);
    console.log(`${kills} kills, ${killedInOpening} of them in opening; ${hashes.size} commits, seed ${seed}`);
    expect(hashes.size).toBeGreaterThan(kills);
  },
  timeoutMs,
);

test(`an owner that is killed while it makes the log leaves one that opens, ${killsAtCreation} times`, async () => {
  const seed = Number(process.env["SWITCHYARD_TEST_SEED"]);
  const random = randomFrom(seed);
  for (let round = 1; round <= killsAtCreation; round += 1) {
    const directory = testDirectory();
    const owner = startAppender({ path: join(directory, "log.sqlite"), seed: seed + round });
    owner.go();
    await owner.said(1);
    await delay(random() * openingMs);
    owner.process.kill("SIGKILL");
    await owner.ended;
    await expectNothingLost(join(directory, "log.sqlite"), acknowledged(owner.lines));
    expect(Object.keys(fingerprints(directory)), `round ${round} of seed ${seed}`).toEqual(["log.sqlite"]);
  }
});

test("a log has one owner among processes, and is free as soon as that one is dead", async () => {
  const path = join(testDirectory(), "log.sqlite");
  const owner = startAppender({ path, seed: 1 });
  owner.go();
  await owner.said(10);
  const second: unknown = await SqliteEventLog.open({ path }).catch((error: unknown) => error);
  expect(second).toBeInstanceOf(LogUnavailable);
  expect((second as Error).message).toBe(`${path}: another process, or another part of this one, has this log open`);
  const other = startAppender({ path, seed: 2, commits: 1 });
  other.go();
  await other.ended;
  expect(other.lines).toEqual(["opening", `refused LogUnavailable ${(second as Error).message}`]);
  owner.process.kill("SIGKILL");
  await owner.ended;
  const log = await openLog(path);
  await appendOne(log, "after");
  expect(await log.verify()).toMatchObject({ intact: true });
  await log.close();
  expect(Object.keys(fingerprints(join(path, "..")))).toEqual(["log.sqlite"]);
});

test("a write that fails for an unknown reason ends the log; opened again, it has what was acknowledged", async () => {
  const path = join(testDirectory(), "log.sqlite");
  // A file may not grow past this many KiB; the kernel says EFBIG, which SQLite has no name for.
  const owner = startAppender({ path, seed: 3, limit: "ulimit -f 300" });
  owner.go();
  await owner.ended;
  expect(owner.process.exitCode).toBe(1);
  expect(owner.lines.at(-1)).toMatch(
    /^then LogUnavailable: .*log\.sqlite: a write failed .*; open the log again to go on$/,
  );
  expect(owner.lines.at(-2)).toMatch(/^refused LogUnavailable .*log\.sqlite: .*\(SQLITE_IOERR_WRITE\)/);
  const hashes = acknowledged(owner.lines);
  expect(hashes.size).toBeGreaterThan(10);
  await expectNothingLost(path, hashes);
});
