import { describe, expect, it } from "vitest";
import { origin, type Position, type SealedCommit } from "../../model/commit.ts";
import { openCommit, sealCommit } from "../../model/wire/commit.ts";
import { encodeCommitRecord, encodeReferenceRecord } from "../../model/wire/log-record.ts";
import { FeedWindow } from "./feed-window.ts";

function next({ epoch, revision, hash: parentHash }: Position, reason = ""): SealedCommit {
  const by = { requestId: `r${revision}`, requestDigest: origin.hash, author: "", reason, timeMs: 0, events: [] };
  return sealCommit({ epoch, revision: revision + 1, parentHash, ...by });
}

function positionOf(commit: SealedCommit): Position {
  const opened = openCommit(commit);
  if ("fault" in opened) throw new Error(opened.detail);
  return opened.position;
}

const first = next(origin);
const second = next(positionOf(first));
const firstRecord = encodeCommitRecord(first);

describe("what was heard on the feed", () => {
  it("is given in order, whatever order it came in, and once", () => {
    const window = new FeedWindow();
    expect(window.add(2, encodeCommitRecord(second), origin)).toBe(true);
    expect(window.takeNext(origin)).toBeUndefined();
    expect(window.add(1, firstRecord, origin)).toBe(true);
    expect(window.takeNext(origin)).toEqual(first);
    expect(window.takeNext(positionOf(first))).toEqual(second);
    expect(window.takeNext(positionOf(second))).toBeUndefined();
  });

  it.each<readonly [what: string, data: Uint8Array]>([
    ["garbage", Buffer.from("garbage")],
    ["nothing", new Uint8Array(0)],
    ["a commit of another revision", encodeCommitRecord(second)],
    ["a commit with another parent", encodeCommitRecord(next({ ...origin, hash: new Uint8Array(32) }))],
    ["a commit whose hash is not its body's", encodeCommitRecord({ ...first, hash: new Uint8Array(32) })],
    ["a reference, which is read from the stream", encodeReferenceRecord(first.hash, 10, 1)],
  ])("is unusable where it is %s, and forgotten", (_what, data) => {
    const window = new FeedWindow();
    window.add(1, data, origin);
    expect(window.takeNext(origin)).toBe("unusable");
    expect(window.takeNext(origin)).toBeUndefined();
  });

  it.each<readonly [what: string, revision: number, data: Uint8Array, kept: boolean]>([
    ["what comes next", 1, firstRecord, true],
    ["what is in reach", 256, firstRecord, true],
    ["not what is out of reach", 257, firstRecord, false],
    ["not what is delivered", 0, firstRecord, false],
    ["not what is below all", -1, firstRecord, false],
    ["64 KiB", 1, Buffer.alloc(64 * 1024), true],
    ["not more", 1, Buffer.alloc(64 * 1024 + 1), false],
  ])("is kept: %s", (_what, revision, data, kept) => {
    expect(new FeedWindow().add(revision, data, origin)).toBe(kept);
  });

  it("takes at most 8 MiB, and has room again for what was taken", () => {
    const window = new FeedWindow();
    const large = Buffer.alloc(64 * 1024);
    const kept = Array.from({ length: 256 }, (_, index) => window.add(index + 1, large, origin));
    expect(kept.filter(Boolean)).toHaveLength(128);
    expect(window.takeNext(origin)).toBe("unusable");
    expect([window.add(200, large, origin), window.add(201, large, origin)]).toEqual([true, false]);
  });
});
