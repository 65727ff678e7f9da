import type { SealedCommit } from "../../model/commit.ts";

/** A record is the body's length (32 bits, little-endian), the commit's hash, and the body. */
const hashBytes = 32;
const headBytes = 4 + hashBytes;
const bodyBytesMax = 64 * 1024 * 1024;

const namePattern = /^commits-(\d{1,15})$/;

/** A file of the commits that follow on a revision. */
export function tailName(afterRevision: number): string {
  return `commits-${afterRevision}`;
}

/** The revision that a file's commits follow on; undefined for any other file. */
export function tailStart(name: string): number | undefined {
  const digits = namePattern.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

export function encodeTailRecord({ body, hash }: SealedCommit): Uint8Array {
  const head = Buffer.alloc(headBytes);
  head.writeUInt32LE(body.length, 0);
  head.set(hash, 4);
  return Buffer.concat([head, body]);
}

/**
 * The commits of a tail in their order. Only their framing is looked at: who opens them checks hashes and the chain.
 *
 * @returns whether the last record is whole: a process that was killed leaves half of one
 */
export function* readTail(bytes: Uint8Array): Generator<SealedCommit, boolean> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  while (at + headBytes <= bytes.length) {
    const length = view.getUint32(at, true);
    const end = at + headBytes + length;
    if (length > bodyBytesMax || end > bytes.length) return false;
    yield { hash: new Uint8Array(bytes.subarray(at + 4, at + headBytes)), body: bytes.subarray(at + headBytes, end) };
    at = end;
  }
  return at === bytes.length;
}
