import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { logNames, blobChunkSubject } from "../log-names.ts";
import {
  decodeBeacon,
  decodeRecord,
  decodeSnapshotPointer,
  encodeBeacon,
  encodeCommitRecord,
  encodeReferenceRecord,
  encodeSnapshotPointer,
  joinReferenced,
  joinSnapshot,
  referencedBytesMax,
} from "./log-record.ts";

const body = Uint8Array.from({ length: 1000 }, (_, index) => index & 0xff);
const hash = Uint8Array.from(createHash("sha256").update(body).digest());

describe("a record of the log's stream", () => {
  it("brings a commit's bytes back as they were", () => {
    expect(decodeRecord(encodeCommitRecord({ body, hash }))).toEqual({ record: "commit", commit: { body, hash } });
  });

  it("brings a reference back", () => {
    const record = { record: "reference", hash, size: 1000, chunkCount: 3 };
    expect(decodeRecord(encodeReferenceRecord(hash, 1000, 3))).toEqual(record);
  });

  it.each([
    ["nothing", new Uint8Array(0)],
    ["what is not a message", Uint8Array.of(0xff, 0xff, 0xff)],
    ["a hash of another length", encodeReferenceRecord(hash.subarray(1), 10, 1)],
    ["no chunks", encodeReferenceRecord(hash, 10, 0)],
    ["more chunks than bytes", encodeReferenceRecord(hash, 10, 11)],
    ["more bytes than memory is taken for", encodeReferenceRecord(hash, referencedBytesMax + 1, 1)],
  ])("is malformed where it is %s", (_, bytes) => {
    expect(decodeRecord(bytes).record).toBe("malformed");
  });

  it("is put together only from exactly the chunks that it names", () => {
    const chunks = [body.subarray(0, 400), body.subarray(400)];
    expect(joinReferenced({ hash, size: 1000 }, chunks)).toEqual({ body, hash });
    expect(joinReferenced({ hash, size: 1000 }, chunks.toReversed())).toBeUndefined();
    expect(joinReferenced({ hash, size: 999 }, chunks)).toBeUndefined();
    expect(joinReferenced({ hash, size: 1000 }, chunks.slice(1))).toBeUndefined();
  });
});

describe("a snapshot's pointer", () => {
  const pointer = { position: { epoch: 2, revision: 7, hash }, size: 1000, sha256: hash, chunkCount: 1 };

  it("comes back, and its snapshot is taken only with the sum that it names", () => {
    expect(decodeSnapshotPointer(encodeSnapshotPointer(pointer))).toEqual(pointer);
    expect(joinSnapshot(pointer, [body])).toEqual(body);
    expect(joinSnapshot(pointer, [body.toReversed()])).toBeUndefined();
  });

  it.each([
    ["empty", new Uint8Array(0)],
    ["not a message", Uint8Array.of(0xff)],
    ["without chunks", encodeSnapshotPointer({ ...pointer, chunkCount: 0 })],
    ["at no revision", encodeSnapshotPointer({ ...pointer, position: { ...pointer.position, revision: 0 } })],
  ])("that is %s is none", (_, bytes) => {
    expect(decodeSnapshotPointer(bytes)).toBeUndefined();
  });
});

describe("a beacon", () => {
  it.each([
    ["in an empty log", { epoch: 1, revision: 0, hash: new Uint8Array(0) }],
    ["at a commit", { epoch: 3, revision: 9, hash }],
  ])("comes back %s", (_, head) => {
    expect(decodeBeacon(encodeBeacon({ replica: "cp-1", head }))).toEqual({ replica: "cp-1", head });
  });

  it.each([
    ["no message", Uint8Array.of(0xff)],
    ["without an epoch", new Uint8Array(0)],
    ["with a hash of another length", encodeBeacon({ replica: "a", head: { epoch: 1, revision: 1, hash: body } })],
  ])("that is %s is none", (_, bytes) => {
    expect(decodeBeacon(bytes)).toBeUndefined();
  });
});

describe("names", () => {
  it("keep installations apart", () => {
    expect(logNames("blue").logSubject).toBe("blue.log");
    expect(blobChunkSubject(logNames(), Uint8Array.of(0, 255), 3)).toBe("switchyard.blob.00ff.3");
  });

  it.each(["", "Blue", "a.b", "a b", "1a", "a".repeat(33), "a*"])("refuse the namespace %j", (namespace) => {
    expect(() => logNames(namespace)).toThrow(RangeError);
  });
});
