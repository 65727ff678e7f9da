import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { origin, type Position, type SealedCommit } from "../../model/commit.ts";
import { commitBytesMax, requestIdLengthMax } from "./append-limits.ts";
import { sha256 } from "./commit-chain.ts";
import type { AppendKey } from "./event-log.ts";
import { SqliteEventLog, snapshotBytesMax } from "./sqlite-event-log.ts";
import { openForWriting } from "./sqlite-log-file.ts";
import { snapshotsKept } from "./sqlite-snapshots.ts";

let directory: string;
let path: string;
let log: SqliteEventLog;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "switchyard-log-"));
  path = join(directory, "log.sqlite");
  log = await SqliteEventLog.open({ path });
});

afterEach(async () => {
  await log.close();
  rmSync(directory, { recursive: true });
});

function sealed(body: Uint8Array): SealedCommit {
  return { body, hash: sha256(body) };
}

function keyOn(head: Position, requestId: string): AppendKey {
  return { revision: head.revision + 1, epoch: head.epoch, parentHash: head.hash, requestId };
}

/** Appends commits that are acknowledged, and gives their positions. */
async function fill(count: number): Promise<Position[]> {
  const positions: Position[] = [];
  let head = await log.head();
  const answers = Array.from({ length: count }, async (_, index) => {
    const commit = sealed(Buffer.from(`commit ${index}`));
    const answer = log.append(commit, keyOn(head, `request-${head.revision + 1}`));
    head = { epoch: 1, revision: head.revision + 1, hash: commit.hash };
    positions.push(head);
    return answer;
  });
  for (const { outcome } of await Promise.all(answers)) expect(outcome).toBe("appended");
  return positions;
}

describe("what could never be appended is refused by its fault, and nothing is written", () => {
  const good = sealed(Buffer.from("body"));
  const key = keyOn(origin, "request");

  test.each<[string, SealedCommit, AppendKey, string]>([
    ["a body above the limit", sealed(new Uint8Array(commitBytesMax + 1)), key, "commitBytesMax"],
    ["a hash of other bytes", { ...good, hash: sha256(Buffer.from("other")) }, key, "SHA-256 of its body"],
    ["no hash", { ...good, hash: new Uint8Array(0) }, key, "SHA-256 of its body"],
    ["no request id", good, { ...key, requestId: "" }, "requestIdLengthMax"],
    ["a long request id", good, { ...key, requestId: "r".repeat(requestIdLengthMax + 1) }, "requestIdLengthMax"],
    ["half a revision", good, { ...key, revision: 1.5 }, "not whole numbers"],
    ["epoch 0", good, { ...key, epoch: 0 }, "not whole numbers"],
    ["no epoch", good, { ...key, epoch: Number.NaN }, "not whole numbers"],
  ])("%s", async (_, commit, wrong, fault) => {
    const refused = log.append(commit, wrong);
    const beside = log.append(good, keyOn(origin, "beside"));
    await expect(refused).rejects.toThrow(RangeError);
    await expect(refused).rejects.toThrow(fault);
    expect(await beside).toMatchObject({ outcome: "appended" });
    expect(await log.read(0, 10)).toHaveLength(1);
  });

  test("a body at the limit and a request id at the limit are taken", async () => {
    const commit = sealed(new Uint8Array(commitBytesMax));
    const longest = keyOn(origin, "r".repeat(requestIdLengthMax));
    expect(await log.append(commit, longest)).toMatchObject({ outcome: "appended" });
    expect((await log.read(0, 1))[0]?.body).toHaveLength(commitBytesMax);
  });

  test.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])("a read after %s, or of so many", async (wrong) => {
    await expect(log.read(wrong, 1)).rejects.toThrow(RangeError);
    await expect(log.read(0, wrong)).rejects.toThrow(RangeError);
    await expect(log.snapshotAtOrBefore(wrong)).rejects.toThrow(RangeError);
  });
});

describe("snapshots", () => {
  test("of another history than the log's are refused", async () => {
    const [first] = await fill(2);
    const body = Buffer.from("state");
    for (const position of [
      { ...first!, hash: sha256(body) },
      { ...first!, epoch: 2 },
      { ...first!, revision: 2 },
      { ...first!, revision: 3 },
      { ...first!, revision: 0 },
    ]) {
      await expect(log.saveSnapshot({ position, body })).rejects.toThrow("another history");
    }
    expect(await log.snapshotAtOrBefore(10)).toBeUndefined();
  });

  test("above the limit are refused", async () => {
    const body = new Uint8Array(snapshotBytesMax + 1);
    await expect(log.saveSnapshot({ position: origin, body })).rejects.toThrow("snapshotBytesMax");
  });

  test(`are kept to the newest ${snapshotsKept}`, async () => {
    const positions = await fill(snapshotsKept + 2);
    for (const position of positions) await log.saveSnapshot({ position, body: Buffer.from("state") });
    expect(await log.snapshotAtOrBefore(2)).toBeUndefined();
    expect(await log.snapshotAtOrBefore(3)).toMatchObject({ position: { revision: 3 } });
  });
});

describe("being told of appends", () => {
  test("who stops in a callback for others is not told any more", async () => {
    const told: string[] = [];
    log.onAppend(() => {
      told.push("first");
      stopSecond();
    });
    const stopSecond = log.onAppend(() => told.push("second"));
    await fill(1);
    expect(told).toEqual(["first"]);
  });

  test("a callback that throws is an uncaught fault; the append and the other callbacks do not feel it", async () => {
    const listeners = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    const uncaught: unknown[] = [];
    const catching = (error: unknown): void => void uncaught.push(error);
    process.on("uncaughtException", catching);
    const told: number[] = [];
    log.onAppend(() => {
      throw new Error("planted");
    });
    log.onAppend(({ revision }) => told.push(revision));
    try {
      await fill(2);
      await vi.waitFor(() => expect(uncaught).toEqual([new Error("planted"), new Error("planted")]), {
        timeout: 30_000,
      });
    } finally {
      process.off("uncaughtException", catching);
      for (const listener of listeners) process.on("uncaughtException", listener);
    }
    expect(told).toEqual([1, 2]);
  });
});

describe("verifying", () => {
  test("covers the whole log, over many turns, and names the head", async () => {
    const positions = await fill(1_000);
    const verification = await log.verify();
    expect(verification).toEqual({ intact: true, head: await log.head() });
    expect(positions).toHaveLength(1_000);
  });

  test("stops at the head of its start, while appends go on; and at closing", async () => {
    await fill(600);
    const verifying = log.verify();
    await fill(1);
    expect(await verifying).toMatchObject({ intact: true, head: { revision: 600 } });
    const cutShort = log.verify();
    await log.close();
    await expect(cutShort).rejects.toThrow(`${path}: the log is closed`);
  });
});

test("each commit is synced before it is acknowledged: the settings that this hangs on", async () => {
  await log.close();
  const db = openForWriting(path);
  const settings = ["journal_mode", "synchronous", "locking_mode", "fullfsync", "checkpoint_fullfsync"].map((name) =>
    db.pragma(name, { simple: true }),
  );
  db.close();
  // Synchronous 2 is FULL (sqlite.org/pragma.html#pragma_synchronous).
  expect(settings).toEqual(["wal", 2, "exclusive", 1, 1]);
});
