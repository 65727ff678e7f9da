import { closeSync, fstatSync, openSync, readSync } from "node:fs";

/** Sizes and offsets of SQLite's write-ahead log (sqlite.org/fileformat2.html, section 4). */
const walHeaderBytes = 32;
const frameHeaderBytes = 24;
const magicLittleEndian = 0x377f0682;
const magicBigEndian = 0x377f0683;

/**
 * Whether a write-ahead log has lost commits that were synced, in words; undefined if not, or if there is none.
 *
 * SQLite takes the first frame whose checksum fails for the end of the log, and says nothing. After a crash that is
 * right: the last transaction may be torn. But each transaction is synced before the next one begins, so that at most
 * one can be torn: where two or more commit frames of the same generation follow the bad frame, it was damaged later,
 * and the commits behind it were acknowledged. What can't be told from a torn write is damage to the very last commit.
 */
export function walDamage(walPath: string): string | undefined {
  const descriptor = openSync(walPath, "r");
  try {
    return damageOf(descriptor, fstatSync(descriptor).size);
  } finally {
    closeSync(descriptor);
  }
}

function damageOf(descriptor: number, fileBytes: number): string | undefined {
  const header = Buffer.alloc(walHeaderBytes);
  if (readSync(descriptor, header, 0, walHeaderBytes, 0) < walHeaderBytes) return undefined;
  const littleEndian = header.readUInt32BE(0) === magicLittleEndian;
  const pageBytes = header.readUInt32BE(8);
  let sum: Checksum = checksum([0, 0], header.subarray(0, 24), littleEndian);
  const whole =
    (littleEndian || header.readUInt32BE(0) === magicBigEndian) &&
    pageBytes >= 512 &&
    pageBytes <= 65_536 &&
    isStored(sum, header, 24);
  if (!whole) {
    // The header is synced before the first frame is written.
    return fileBytes > walHeaderBytes ? "its header is damaged, so that none of its commits can be read" : undefined;
  }
  const frame = Buffer.alloc(frameHeaderBytes + pageBytes);
  let firstBad: number | undefined;
  let commitsBehind = 0;
  for (let index = 0, at = walHeaderBytes; at + frame.length <= fileBytes; index += 1, at += frame.length) {
    readSync(descriptor, frame, 0, frame.length, at);
    const current = frame.compare(header, 16, 24, 8, 16) === 0;
    if (firstBad === undefined) {
      sum = checksum(checksum(sum, frame.subarray(0, 8), littleEndian), frame.subarray(frameHeaderBytes), littleEndian);
      if (!current || !isStored(sum, frame, 16)) firstBad = index;
    }
    if (firstBad !== undefined && current && isCommit(frame)) commitsBehind += 1;
  }
  if (commitsBehind < 2) return undefined;
  return `frame ${firstBad} is damaged, and ${commitsBehind} transactions from there on would be lost`;
}

/** The last frame of a transaction holds the size of the database after it, all others 0. */
function isCommit(frame: Buffer): boolean {
  return frame.readUInt32BE(4) !== 0;
}

type Checksum = readonly [number, number];

function isStored(sum: Checksum, buffer: Buffer, offset: number): boolean {
  return buffer.readUInt32BE(offset) === sum[0] && buffer.readUInt32BE(offset + 4) === sum[1];
}

function checksum(from: Checksum, bytes: Buffer, littleEndian: boolean): Checksum {
  let [first, second] = from;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length; at += 8) {
    first = (first + view.getUint32(at, littleEndian) + second) >>> 0;
    second = (second + view.getUint32(at + 4, littleEndian) + first) >>> 0;
  }
  return [first, second];
}
