import { spawnSync } from "node:child_process";
import { linkSync, mkdirSync, rmSync, statfsSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Worker } from "node:worker_threads";
import Database from "better-sqlite3";
import { describe, expect, onTestFinished, test } from "vitest";
import { LogUnavailable } from "../../controlplane/log/event-log.ts";
import { SqliteEventLog } from "../../controlplane/log/sqlite-event-log.ts";
import { appendOn } from "../contract/sealed-commit.ts";
import { appendOne, closedLog, fingerprints, openLog, testDirectory } from "./log-on-disk.ts";

async function expectUnavailable(path: string, why: RegExp): Promise<void> {
  const before = fingerprints(dirname(path));
  const refused: unknown = await SqliteEventLog.open({ path }).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(LogUnavailable);
  expect((refused as Error).message).toMatch(why);
  expect((refused as Error).message).toContain(path);
  expect(fingerprints(dirname(path))).toEqual(before);
}

function command(program: string, ...args: string[]): string | undefined {
  const ended = spawnSync(program, args, { encoding: "utf8" });
  return ended.status === 0 ? undefined : (ended.error?.message ?? ended.stderr.trim());
}

/** A small file system of its own, in memory. */
function smallDisk(bytes: number): string {
  const directory = testDirectory();
  const failed = command("mount", "-t", "tmpfs", "-o", `size=${bytes}`, "tmpfs", directory);
  if (failed !== undefined) {
    throw new Error(`this test mounts a tmpfs: run it as root, in a container with --cap-add SYS_ADMIN (${failed})`);
  }
  onTestFinished(() => {
    const busy = command("umount", directory);
    if (busy !== undefined) throw new Error(busy);
  });
  return directory;
}

function freeBytes(directory: string): number {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize;
}

describe("a log that can't be had is refused by name and reason, and nothing is left behind", () => {
  test.each<[string, RegExp, (directory: string) => string]>([
    ["a directory that is missing", /ENOENT/, (directory) => join(directory, "missing", "log.sqlite")],
    [
      "a file in the directory's place",
      /ENOTDIR/,
      (directory) => {
        writeFileSync(join(directory, "file"), "");
        return join(directory, "file", "log.sqlite");
      },
    ],
    [
      "a lock that can't be made",
      /unable to open database file/,
      (directory) => {
        mkdirSync(join(directory, "log.sqlite.lock"));
        return join(directory, "log.sqlite");
      },
    ],
  ])("%s", async (_, why, prepare) => {
    await expectUnavailable(prepare(testDirectory()), why);
  });

  test("a directory that may not be written, with a log and without", async () => {
    const directory = smallDisk(4_000_000);
    const path = join(directory, "log.sqlite");
    await (await openLog(path)).close();
    for (const lock of ["there", "gone"]) {
      if (lock === "gone") rmSync(`${path}.lock`);
      expect(command("mount", "-o", "remount,ro", directory)).toBeUndefined();
      await expectUnavailable(path, /readonly|read-only|unable to open/);
      await expectUnavailable(join(directory, "new.sqlite"), /readonly|read-only|unable to open/);
      expect(command("mount", "-o", "remount,rw", directory)).toBeUndefined();
    }
    await appendOne(await openLog(path), "after");
  });

  test("a disk too full to make a log; with room there it is made", async () => {
    const directory = smallDisk(200_000);
    writeFileSync(join(directory, "filler"), Buffer.alloc(freeBytes(directory) - 8_192));
    const path = join(directory, "log.sqlite");
    await expectUnavailable(path, /the disk is full/);
    rmSync(join(directory, "filler"));
    await appendOne(await openLog(path), "after");
  });
});

describe("a disk that fills up", () => {
  test("refuses appends and snapshots, keeps what it had, reads on, and goes on when there is room", async () => {
    const directory = smallDisk(2_000_000);
    const path = join(directory, "log.sqlite");
    const log = await openLog(path);
    await appendOne(log, "before");
    const before = await log.head();
    writeFileSync(join(directory, "filler"), Buffer.alloc(freeBytes(directory)));
    const big = appendOn(before, "big", {}, Buffer.alloc(100_000));
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      await expect(log.append(big.commit, big.key)).rejects.toThrow(LogUnavailable);
      await expect(log.append(big.commit, big.key)).rejects.toThrow(`${path}: the disk is full`);
    }
    await expect(log.saveSnapshot({ position: before, body: Buffer.alloc(100_000) })).rejects.toThrow("disk is full");
    expect(await log.head()).toEqual(before);
    expect(await log.findRequest("big")).toBeUndefined();
    expect(await log.read(0, 10)).toHaveLength(1);
    rmSync(join(directory, "filler"));
    await appendOne(log, "after");
    await log.close();
    const again = await openLog(path);
    expect(await again.verify()).toMatchObject({ intact: true, head: { revision: 2 } });
  });

  test("fails all appends of the turn that did not fit, and none of them is there afterwards", async () => {
    const directory = smallDisk(2_000_000);
    const log = await openLog(join(directory, "log.sqlite"));
    const told: number[] = [];
    log.onAppend(({ revision }) => told.push(revision));
    const small = appendOn(await log.head(), "small");
    const big = appendOn({ epoch: 1, revision: 1, hash: small.commit.hash }, "big", {}, Buffer.alloc(3_000_000));
    const answers = await Promise.allSettled([small, big].map(async ({ commit, key }) => log.append(commit, key)));
    expect(answers.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(await log.head()).toMatchObject({ revision: 0 });
    expect(await log.findRequest("small")).toBeUndefined();
    await appendOne(log, "after");
    expect(told).toEqual([1]);
  });
});

describe("a log has one owner", () => {
  const otherOwner = /another process, or another part of this one, has this log open/;

  test("by whatever name it is opened: its own, a symbolic link, a linked directory", async () => {
    const path = await closedLog();
    const link = `${path}.link`;
    const directory = `${dirname(path)}.dir`;
    symlinkSync(path, link);
    symlinkSync(dirname(path), directory);
    onTestFinished(() => rmSync(directory));
    const owner = await openLog(path);
    for (const name of [path, link, join(directory, "log.sqlite")]) {
      await expect(SqliteEventLog.open({ path: name })).rejects.toThrow(otherOwner);
    }
    await appendOne(owner, "still-mine");
    await owner.close();
    expect(await (await openLog(link)).verify()).toMatchObject({ intact: true, head: { revision: 9 } });
  });

  test("by a hard link it is in use, because SQLite has the file itself locked too", async () => {
    const path = await closedLog();
    linkSync(path, `${path}.hard`);
    const owner = await openLog(path);
    await expect(SqliteEventLog.open({ path: `${path}.hard` })).rejects.toThrow("in use by another process");
    await appendOne(owner, "still-mine");
  });

  test("among the threads of a process too", async () => {
    const path = await closedLog();
    await openLog(path);
    const thread = new Worker(
      `const { parentPort, workerData } = require("node:worker_threads");
       const Database = require("better-sqlite3");
       const lock = new Database(workerData + ".lock", { timeout: 0 });
       try { lock.exec("BEGIN EXCLUSIVE"); parentPort.postMessage("taken"); }
       catch (error) { parentPort.postMessage(error.code); }
       lock.close();`,
      { eval: true, workerData: path },
    );
    const said = await new Promise((resolve, reject) => thread.once("message", resolve).once("error", reject));
    expect(said).toBe("SQLITE_BUSY");
    await thread.terminate();
  });

  test("that keeps foreign tools from reading or writing while it is open, and yields to one that came first", async () => {
    const path = await closedLog();
    const tool = new Database(path, { timeout: 0 });
    onTestFinished(() => void tool.close());
    tool.exec("BEGIN");
    tool.prepare("SELECT count(*) FROM commits").get();
    await expect(SqliteEventLog.open({ path })).rejects.toThrow(`${path}: in use by another process`);
    tool.close();
    const owner = await openLog(path);
    const second = new Database(path, { timeout: 0 });
    onTestFinished(() => void second.close());
    expect(() => second.exec("DELETE FROM commits")).toThrow("database is locked");
    second.close();
    await appendOne(owner, "still-mine");
    expect(await owner.verify()).toMatchObject({ intact: true });
  });
});
