import { seededRandom } from "./seeded-random.ts";

/** Not a power of two, so that a block that is lost, doubled or out of place never fits. */
const periodBytes = 1_048_573;

/** A long stream of bytes that anyone can tell apart at any offset, without holding it. */
export class BytePattern {
  readonly #block: Buffer;

  constructor(seed: number) {
    const random = seededRandom(seed);
    this.#block = Buffer.alloc(periodBytes);
    for (let at = 0; at < periodBytes; at += 1) this.#block[at] = Math.floor(random() * 256);
  }

  /** The bytes from `offset` on: at most `length` of them, at least one. */
  at(offset: number, length: number): Buffer {
    const start = offset % periodBytes;
    return this.#block.subarray(start, Math.min(start + length, periodBytes));
  }

  /** The offset of the first byte of `bytes`, which are said to begin at `offset`, that is wrong; -1 for none. */
  firstDifference(offset: number, bytes: Buffer): number {
    for (let at = 0; at < bytes.length; ) {
      const expected = this.at(offset + at, bytes.length - at);
      const got = bytes.subarray(at, at + expected.length);
      if (!got.equals(expected)) return offset + at + got.findIndex((byte, index) => byte !== expected[index]);
      at += expected.length;
    }
    return -1;
  }
}
