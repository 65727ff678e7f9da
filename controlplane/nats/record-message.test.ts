import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { origin } from "../../model/commit.ts";
import { sealCommit, sealEpochMarker } from "../../model/wire/commit.ts";
import { encodeCommitRecord, encodeReferenceRecord } from "../../model/wire/log-record.ts";
import { messageId, readRecordMessage, recordHeaders } from "./record-message.ts";

const body = Uint8Array.of(1, 2, 3);
const hash = Uint8Array.from(createHash("sha256").update(body).digest());

describe("a commit's key travels beside it", () => {
  it.each(["r1", "with spaces", " ", "ünïcode \u{1f600}", "line\r\nbreak: x", "b64:cjE", "a".repeat(256), "x:y"])(
    "with the request id %j as it was",
    (requestId) => {
      const key = { revision: 7, epoch: 3, parentHash: hash, requestId };
      const read = readRecordMessage(7, recordHeaders(key), encodeCommitRecord({ body, hash }));
      expect(read).toEqual({ read: "commit", commit: { body, hash }, key });
      expect(messageId(requestId)).toMatch(/^[\x21-\x7e]+$/);
    },
  );

  it("with no parent before revision 1, and beside a reference too", () => {
    const key = { revision: 1, epoch: 1, parentHash: new Uint8Array(0), requestId: "first" };
    const read = readRecordMessage(1, recordHeaders(key), encodeReferenceRecord(hash, 3, 1));
    expect(read).toEqual({ read: "reference", hash, size: 3, chunkCount: 1, key });
  });

  it("two ids are never one", () => {
    expect(messageId("b64:cjE")).not.toBe(messageId("r1"));
  });
});

describe("a record without headers", () => {
  it("is opened for its key", () => {
    const commit = sealEpochMarker(origin, 2, "why", 5);
    const key = { revision: 1, epoch: 2, parentHash: new Uint8Array(0), requestId: "epoch-2-at-1" };
    expect(readRecordMessage(1, undefined, encodeCommitRecord(commit))).toEqual({ read: "commit", commit, key });
  });

  it.each<[string, Uint8Array]>([
    ["nothing", new Uint8Array(0)],
    ["no record", Uint8Array.of(0xff)],
    ["a commit that does not open", encodeCommitRecord({ body, hash })],
    ["a commit of another hash", encodeCommitRecord({ ...sealEpochMarker(origin, 2, "why", 5), hash })],
    ["a commit at no revision", encodeCommitRecord(sealedAtNoRevision())],
  ])("that is %s is malformed", (_, data) => {
    expect(readRecordMessage(1, undefined, data).read).toBe("malformed");
  });
});

function sealedAtNoRevision() {
  return sealCommit({
    epoch: 1,
    revision: 0,
    parentHash: new Uint8Array(0),
    requestId: "r",
    requestDigest: hash,
    author: "",
    reason: "",
    timeMs: 1,
    events: [],
  });
}
