import { sha256 } from "@noble/hashes/sha2.js";
import {
  Beacon as WireBeacon,
  LogRecord,
  SnapshotPointer as WirePointer,
} from "../../proto/gen/switchyard/log/v1/log.ts";
import { type Position, type SealedCommit, sameBytes } from "../commit.ts";
import { joinedBytes } from "../joined-bytes.ts";

/** A message of the log's stream, opened. */
export type StoredRecord =
  | { readonly record: "commit"; readonly commit: SealedCommit }
  /** The body is in the blob stream, in chunks. */
  | { readonly record: "reference"; readonly hash: Uint8Array; readonly size: number; readonly chunkCount: number }
  /** It can't be read: damaged, or written by something else. */
  | { readonly record: "malformed"; readonly detail: string };

/** The largest body that is put together from chunks; more is refused before memory is taken for it. */
export const referencedBytesMax = 64 * 1024 * 1024;

export function encodeCommitRecord(commit: SealedCommit): Uint8Array {
  return LogRecord.encode({ record: { $case: "commit", value: commit } }).finish();
}

export function encodeReferenceRecord(hash: Uint8Array, size: number, chunkCount: number): Uint8Array {
  return LogRecord.encode({ record: { $case: "reference", value: { hash, size: BigInt(size), chunkCount } } }).finish();
}

/** Checks the framing and the limits only: whoever opens the commit checks its hash. */
export function decodeRecord(bytes: Uint8Array): StoredRecord {
  let message: LogRecord;
  try {
    message = LogRecord.decode(bytes);
  } catch (error) {
    return { record: "malformed", detail: String(error) };
  }
  switch (message.record?.$case) {
    case "commit":
      return { record: "commit", commit: message.record.value };
    case "reference": {
      const { hash, size, chunkCount } = message.record.value;
      if (hash.length !== 32 || size > BigInt(referencedBytesMax) || chunkCount < 1 || BigInt(chunkCount) > size)
        return { record: "malformed", detail: `a reference to ${size} bytes in ${chunkCount} chunks` };
      return { record: "reference", hash, size: Number(size), chunkCount };
    }
    case undefined:
      return { record: "malformed", detail: "neither a commit nor a reference to one" };
  }
}

/** Puts a large commit together. Undefined where the chunks are not what the reference says. */
export function joinReferenced(
  reference: { readonly hash: Uint8Array; readonly size: number },
  chunks: readonly Uint8Array[],
): SealedCommit | undefined {
  const body = joinedBytes(chunks);
  if (body.length !== reference.size || !sameBytes(sha256(body), reference.hash)) return undefined;
  return { body, hash: reference.hash };
}

/** Where the newest snapshot is, and what it must be. */
export interface SnapshotPointer {
  readonly position: Position;
  readonly size: number;
  /** Of the encoded snapshot. */
  readonly sha256: Uint8Array;
  readonly chunkCount: number;
}

export function encodeSnapshotPointer({ position, size, sha256: sum, chunkCount }: SnapshotPointer): Uint8Array {
  const { epoch, revision, hash } = position;
  return WirePointer.encode({
    epoch: BigInt(epoch),
    revision: BigInt(revision),
    hash,
    size: BigInt(size),
    sha256: sum,
    chunkCount,
  }).finish();
}

/** Undefined where it can't be one. */
export function decodeSnapshotPointer(bytes: Uint8Array): SnapshotPointer | undefined {
  try {
    const { epoch, revision, hash, size, sha256: sum, chunkCount } = WirePointer.decode(bytes);
    if (epoch < 1n || revision < 1n || hash.length !== 32 || sum.length !== 32 || chunkCount < 1) return undefined;
    const position = { epoch: Number(epoch), revision: Number(revision), hash };
    return { position, size: Number(size), sha256: sum, chunkCount };
  } catch {
    return undefined;
  }
}

/** Puts a snapshot together. Undefined where the chunks are not what the pointer says. */
export function joinSnapshot(pointer: SnapshotPointer, chunks: readonly Uint8Array[]): Uint8Array | undefined {
  const body = joinedBytes(chunks);
  return body.length === pointer.size && sameBytes(sha256(body), pointer.sha256) ? body : undefined;
}

/** A replica's word on where the log ends. */
export interface Beacon {
  readonly replica: string;
  readonly head: Position;
}

export function encodeBeacon({ replica, head }: Beacon): Uint8Array {
  const { epoch, revision, hash } = head;
  return WireBeacon.encode({ replica, epoch: BigInt(epoch), revision: BigInt(revision), hash }).finish();
}

/** Undefined where it can't be one. */
export function decodeBeacon(bytes: Uint8Array): Beacon | undefined {
  try {
    const { replica, epoch, revision, hash } = WireBeacon.decode(bytes);
    if (epoch < 1n || hash.length !== (revision === 0n ? 0 : 32)) return undefined;
    return { replica, head: { epoch: Number(epoch), revision: Number(revision), hash } };
  } catch {
    return undefined;
  }
}
