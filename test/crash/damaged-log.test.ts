import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { LogCorrupt } from "../../controlplane/log/event-log.ts";
import { SqliteEventLog } from "../../controlplane/log/sqlite-event-log.ts";
import {
  alter,
  appendOne,
  closedLog,
  commitsWritten,
  crashCopy,
  crashedLog,
  fingerprints,
  flip,
  offsetOf,
  openLog,
  rewrite,
} from "./log-on-disk.ts";

/** Of SQLite's header and write-ahead log (sqlite.org/fileformat2.html, sections 1.3 and 4). */
const userVersionOffset = 60;
const applicationIdOffset = 68;
const pageBytes = 4_096;
const walHeaderBytes = 32;
const frameBytes = 24 + pageBytes;

type Damage = (path: string) => void;

const becomes =
  (bytes: Uint8Array): Damage =>
  (path) =>
    writeFileSync(path, bytes);
const altered =
  (sql: string): Damage =>
  (path) =>
    alter(path, sql);
const bitOf =
  (text: string, nth = 1): Damage =>
  (path) =>
    flip(path, offsetOf(path, text, nth));
const secondPage =
  (bytes: Uint8Array): Damage =>
  (path) =>
    rewrite(path, (all) => Buffer.concat([all.subarray(0, pageBytes), bytes, all.subarray(2 * pageBytes)]));
const insteadOfIt =
  (make: Damage): Damage =>
  (path) => {
    rmSync(path);
    make(path);
  };

async function expectRefused(path: string, fault: RegExp): Promise<void> {
  const before = fingerprints(dirname(path));
  const refused: unknown = await SqliteEventLog.open({ path }).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(LogCorrupt);
  const { message } = refused as LogCorrupt;
  expect(message).toMatch(fault);
  expect(message).toContain(path);
  expect(message).not.toContain("\n");
  expect(fingerprints(dirname(path))).toEqual(before);
}

describe("a file that is no sound log is refused by name and fault, and left as it is", () => {
  test.each<[string, RegExp, Damage]>([
    ["garbage", /not a SQLite database/, becomes(randomBytes(3 * pageBytes))],
    ["a short text", /not a SQLite database/, becomes(Buffer.from("listeners: []\n"))],
    ["an empty file", /empty/, becomes(Buffer.alloc(0))],
    ["zeros", /not a SQLite database/, becomes(Buffer.alloc(3 * pageBytes))],
    ["a file cut within its magic", /truncated/, (path) => truncateSync(path, 10)],
    ["a file cut within its header", /truncated/, (path) => truncateSync(path, 99)],
    ["a file cut after its first page", /truncated/, (path) => truncateSync(path, pageBytes)],
    ["a file one byte short", /truncated/, (path) => rewrite(path, (bytes) => bytes.subarray(0, -1))],
    ["another program's database", /application id is 0x00000000/, altered("PRAGMA application_id = 0")],
    ["another application id", /application id is 0x53575945/, (path) => flip(path, applicationIdOffset + 3)],
    ["a newer format", /format 2, written by a newer version/, altered("PRAGMA user_version = 2")],
    ["a format that never was", /format 0, which never was/, (path) => flip(path, userVersionOffset + 3)],
    ["a rollback journal beside", /-journal is there/, (path) => writeFileSync(`${path}-journal`, "hot")],
    ["no table of commits", /table commits is missing/, altered("DROP TABLE commits")],
    ["no table of snapshots", /table snapshots is missing/, altered("DROP TABLE snapshots")],
    ["another column", /table commits is not as/, altered("ALTER TABLE commits ADD COLUMN more TEXT")],
    ["a bit of a body", /revision 5: the SHA-256 of its body/, bitOf("the commit of r5")],
    ["a bit of the head's body", /revision 8: the SHA-256 of its body/, bitOf("the commit of r8")],
    ["a request id that its index has otherwise", /damaged: .*index/, bitOf("r4\u0004")],
    ["a page of zeros", /damaged/, secondPage(Buffer.alloc(pageBytes))],
    ["a page of noise", /damaged/, secondPage(randomBytes(pageBytes))],
    ["a directory", /a directory, not a log/, insteadOfIt((path) => mkdirSync(path))],
    ["a device", /a special file, not a log/, insteadOfIt((path) => symlinkSync("/dev/null", path))],
    ["only a write-ahead log", /the file is missing, but/, insteadOfIt((path) => writeFileSync(`${path}-wal`, "x"))],
  ])("%s", async (_, fault, damage) => {
    const path = await closedLog();
    damage(path);
    await expectRefused(path, fault);
  });

  test.each<[string, RegExp]>([
    ["UPDATE commits SET body = x'00' WHERE revision = 2", /revision 2: the SHA-256 of its body is not its hash/],
    ["UPDATE commits SET body = x'00' WHERE revision IN (3, 6)", /revision 3: the SHA-256/],
    ["UPDATE commits SET hash = zeroblob(32) WHERE revision = 4", /revision 4: the SHA-256/],
    [
      "UPDATE commits SET parent_hash = zeroblob(32) WHERE revision = 6",
      /revision 6: its parent hash is not the hash of revision 5/,
    ],
    ["UPDATE commits SET parent_hash = x'00' WHERE revision = 1", /revision 1: its parent hash/],
    ["UPDATE commits SET epoch = 2 WHERE revision = 4", /revision 5: its epoch is 1, after epoch 2/],
    ["DELETE FROM commits WHERE revision = 1", /revision 1 is missing/],
    ["DELETE FROM commits WHERE revision = 5", /revision 5 is missing/],
    ["DELETE FROM commits WHERE revision IN (3, 5)", /revision 3 is missing/],
  ])("a chain after %s", async (sql, fault) => {
    const closed = await closedLog();
    alter(closed, sql);
    await expectRefused(closed, fault);
    await expectRefused(await crashedLog(sql), fault);
  });

  test("a commit missing before the newest snapshot", async () => {
    const path = await closedLog(6);
    alter(path, "DELETE FROM commits WHERE revision = 3");
    await expectRefused(path, /revision 3 is missing/);
  });

  test("a fault behind the newest snapshot, and one in the head under a snapshot at the head", async () => {
    const behind = await closedLog(4);
    alter(behind, "UPDATE commits SET body = x'00' WHERE revision = 7");
    await expectRefused(behind, /revision 7: the SHA/);
    const atHead = await closedLog(commitsWritten);
    alter(atHead, "UPDATE commits SET body = x'00' WHERE revision = 8");
    await expectRefused(atHead, /revision 8: the SHA/);
  });

  test("damage before the newest snapshot does not keep a log shut; reading it and verifying name it", async () => {
    const path = await closedLog(6);
    alter(path, "UPDATE commits SET body = x'00' WHERE revision = 3");
    const log = await openLog(path);
    expect(await log.read(3, 10)).toHaveLength(commitsWritten - 3);
    await expect(log.read(0, 10)).rejects.toThrow(LogCorrupt);
    await expect(log.read(2, 1)).rejects.toThrow(`${path}: damaged: revision 3`);
    const fault = expect.stringMatching(/^revision 3: the SHA/);
    expect(await log.verify()).toEqual({ intact: false, revision: 3, fault });
  });
});

/** The frames of each transaction in a write-ahead log: a commit frame holds the size of the database after it. */
function transactionsOf(wal: string): { readonly firstFrame: number; readonly frames: number }[] {
  const bytes = readFileSync(wal);
  const transactions = [];
  let firstFrame = 0;
  for (let frame = 0; walHeaderBytes + (frame + 1) * frameBytes <= bytes.length; frame += 1) {
    if (bytes.readUInt32BE(walHeaderBytes + frame * frameBytes + 4) === 0) continue;
    transactions.push({ firstFrame, frames: frame + 1 - firstFrame });
    firstFrame = frame + 1;
  }
  return transactions;
}

/** Flips a bit in the page of the first frame of the nth transaction, counted from 0, or from -1 at the end. */
const frameOfTransaction =
  (nth: number): Damage =>
  (wal) =>
    flip(wal, walHeaderBytes + transactionsOf(wal).at(nth)!.firstFrame * frameBytes + 24 + 1_000);

describe("after a crash, what the write-ahead log lost is told from what it never had", () => {
  test.each<[string, RegExp, Damage]>([
    ["a bit of its magic", /its header is damaged/, (wal) => flip(wal, 0)],
    ["a bit of its salt", /its header is damaged/, (wal) => flip(wal, 20)],
    ["a bit of its page size", /its header is damaged/, (wal) => flip(wal, 10)],
    ["its whole header", /its header is damaged/, (wal) => rewrite(wal, (bytes) => bytes.fill(0, 0, walHeaderBytes))],
    ["a bit of its first transaction", /frame 0 is damaged, and 8 transactions/, frameOfTransaction(0)],
    ["a bit of the first frame's header", /frame 0 is damaged, and 8/, (wal) => flip(wal, walHeaderBytes + 3)],
    ["a bit of the first frame's salt", /frame 0 is damaged, and 8/, (wal) => flip(wal, walHeaderBytes + 8)],
    ["a bit of its middle", /frame \d+ is damaged, and 4 transactions/, frameOfTransaction(4)],
    ["a bit of the last transaction but one", /and 2 transactions from there on/, frameOfTransaction(-2)],
  ])("damage to %s loses acknowledged commits: refused, and left as it is", async (_, fault, damage) => {
    const path = await crashedLog();
    expect(transactionsOf(`${path}-wal`)).toHaveLength(commitsWritten);
    damage(`${path}-wal`);
    await expectRefused(path, fault);
  });

  test.each<[string, number, Damage]>([
    ["a whole one", commitsWritten, () => undefined],
    [
      "one with a torn frame of the next transaction",
      commitsWritten,
      (wal) => rewrite(wal, (all) => Buffer.concat([all, all.subarray(32, 99)])),
    ],
    ["one whose last frame is cut short", commitsWritten - 1, (wal) => rewrite(wal, (all) => all.subarray(0, -1))],
    ["one whose last frame is gone", commitsWritten - 1, (wal) => rewrite(wal, (all) => all.subarray(0, -frameBytes))],
    ["one whose last transaction was written in part", commitsWritten - 1, frameOfTransaction(-1)],
    ["one of which only a torn header was written", 0, (wal) => truncateSync(wal, 10)],
    ["one of which only the header was written", 0, (wal) => truncateSync(wal, walHeaderBytes)],
  ])("%s is replayed as far as it goes, to revision %i, and the log goes on", async (_, revision, crash) => {
    const path = await crashedLog();
    crash(`${path}-wal`);
    const log = await openLog(path);
    expect((await log.head()).revision).toBe(revision);
    await appendOne(log, "after");
    expect(await log.verify()).toMatchObject({ intact: true, head: { revision: revision + 1 } });
  });

  test("frames that an older generation left behind the new ones are not taken for damage", async () => {
    const living = await crashedLog();
    const db = new Database(living);
    // The next write begins the write-ahead log anew: other salts in its header, the old frames behind.
    db.pragma("wal_checkpoint(RESTART)");
    db.exec("INSERT INTO snapshots VALUES (0, 1, x'', zeroblob(32), x'00')");
    const path = crashCopy(living);
    db.close();
    expect(transactionsOf(`${path}-wal`).length).toBeGreaterThan(2);
    const log = await openLog(path);
    expect((await log.head()).revision).toBe(commitsWritten);
  });
});
