import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { open, rename } from "node:fs/promises";
import { join } from "node:path";

export const snapshotName = "snapshot";
const unfinishedName = "snapshot.new";

/**
 * Behind the encoded snapshot stand its SHA-256, its length (64 bits), the format's version (32 bits), both little-endian,
 * and eight bytes that say what the file is: at the end, since the sum is known only there.
 */
const magic = Buffer.from("SWYD-LKG", "latin1");
const formatVersion = 1;
const sumBytes = 32;
const trailerBytes = sumBytes + 8 + 4 + magic.length;

/** A snapshot's file that can't be used. */
export class SnapshotDamaged extends Error {
  override readonly name = "SnapshotDamaged";
}

/**
 * Writes a snapshot, and puts it in the place of the one before once it is all on the disk: whenever the machine stops,
 * one of the two is there whole. Between two parts others may run. Answers its size.
 *
 * @param betweenParts is awaited after each part; answers whether to go on. Otherwise nothing is replaced, and undefined
 *   is answered.
 */
export async function writeSnapshotFile(
  directory: string,
  parts: Iterable<Uint8Array>,
  betweenParts: () => Promise<boolean>,
): Promise<number | undefined> {
  const unfinished = join(directory, unfinishedName);
  const file = await open(unfinished, "w", 0o600);
  const sum = createHash("sha256");
  let length = 0;
  try {
    for (const part of parts) {
      sum.update(part);
      length += part.length;
      await file.writeFile(part);
      if (!(await betweenParts())) return undefined;
    }
    const trailer = Buffer.alloc(trailerBytes);
    sum.digest().copy(trailer);
    trailer.writeBigUInt64LE(BigInt(length), sumBytes);
    trailer.writeUInt32LE(formatVersion, sumBytes + 8);
    magic.copy(trailer, sumBytes + 12);
    await file.writeFile(trailer);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(unfinished, join(directory, snapshotName));
  await syncDirectory(directory);
  return length + trailerBytes;
}

/** A rename, or a new file, outlasts a power loss only once its directory is on the disk. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * The encoded snapshot; undefined where there is none.
 *
 * @throws SnapshotDamaged where it is not what was written, or a newer software wrote it; the system's error
 */
export function readSnapshotFile(directory: string): Uint8Array | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(join(directory, snapshotName));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  const length = bytes.length - trailerBytes;
  if (length < 0 || !bytes.subarray(-magic.length).equals(magic))
    throw new SnapshotDamaged("the snapshot's file is no snapshot, or was cut off");
  const trailer = bytes.subarray(length);
  const version = trailer.readUInt32LE(sumBytes + 8);
  if (version !== formatVersion)
    throw new SnapshotDamaged(`the snapshot has format ${version}; this software reads ${formatVersion}`);
  if (trailer.readBigUInt64LE(sumBytes) !== BigInt(length))
    throw new SnapshotDamaged("the snapshot's length is not what it says");
  const body = bytes.subarray(0, length);
  if (!createHash("sha256").update(body).digest().equals(trailer.subarray(0, sumBytes)))
    throw new SnapshotDamaged("the snapshot's SHA-256 is not that of its bytes");
  return body;
}
