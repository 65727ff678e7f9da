/** Random changes to hellos, all from one seed. */

/** A small generator of numbers (mulberry32): a run is had again by its seed. */
export class SeededNumbers {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A whole number, 0 or more and less than `bound`. */
  below(bound: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound);
  }
}

/** Bytes that parsers trip over: ends of ranges, content types, separators of names. */
const sharpBytes = [0, 1, 2, 3, 4, 0x0a, 0x14, 0x15, 0x16, 0x17, 0x20, 0x21, 0x2e, 0x40, 0x41, 0x7f, 0x80, 0xfe, 0xff];

/** A changed copy of `bytes`: one to four times a byte set, stepped or flipped, or a stretch cut, doubled or moved. */
export function mutated(bytes: Uint8Array, numbers: SeededNumbers): Uint8Array {
  let result: Uint8Array = bytes.slice();
  for (let left = 1 + numbers.below(4); left > 0; left -= 1) result = mutatedOnce(result, numbers);
  return result;
}

function mutatedOnce(bytes: Uint8Array, numbers: SeededNumbers): Uint8Array {
  if (bytes.length === 0) return Uint8Array.of(numbers.below(256));
  const at = position(bytes.length, numbers);
  const old = bytes[at] as number;
  switch (numbers.below(8)) {
    case 0:
      bytes[at] = numbers.below(256);
      return bytes;
    case 1:
      bytes[at] = sharpBytes[numbers.below(sharpBytes.length)] as number;
      return bytes;
    case 2:
      bytes[at] = old ^ (1 << numbers.below(8));
      return bytes;
    case 3:
    case 4:
      bytes[at] = old + (numbers.below(2) === 0 ? 1 : -1);
      return bytes;
    case 5:
      return joined(bytes.subarray(0, at), bytes.subarray(at + 1 + numbers.below(8)));
    case 6:
      return joined(bytes.subarray(0, at + numbers.below(16)), bytes.subarray(at));
    default:
      return numbers.below(8) === 0
        ? bytes.slice(0, at)
        : joined(bytes.subarray(0, at), Uint8Array.of(0), bytes.subarray(at));
  }
}

/** Half of the time in the headers, where most decisions are made. */
function position(length: number, numbers: SeededNumbers): number {
  return numbers.below(2) === 0 ? numbers.below(Math.min(length, 60)) : numbers.below(length);
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** Bytes between two chunks of {@link randomSplit}. */
const gapBytes = 4;

/**
 * `bytes` in chunks that were cut at random: byte by byte, in a few pieces, or in pieces of a few bytes. The chunks are
 * views of one buffer with other bytes between them, so that a read outside of one shows.
 */
export function randomSplit(bytes: Uint8Array, numbers: SeededNumbers): Uint8Array[] {
  const longest = [1, 4, 16, 64, Math.max(1, bytes.length)][numbers.below(5)] as number;
  const lengths: number[] = [];
  for (let left = bytes.length; left > 0; left -= lengths.at(-1) as number) {
    lengths.push(Math.min(left, 1 + numbers.below(longest)));
  }
  const buffer = new Uint8Array(bytes.length + gapBytes * lengths.length).fill(numbers.below(256));
  let from = 0;
  let to = 0;
  return lengths.map((length) => {
    for (let at = 0; at < length; at += 1) buffer[to + at] = bytes[from + at] as number;
    const chunk = buffer.subarray(to, to + length);
    from += length;
    to += length + gapBytes;
    return chunk;
  });
}

/** A view of the same bytes, inside a buffer that has other bytes before and behind. */
export function surrounded(bytes: Uint8Array, numbers: SeededNumbers): Uint8Array {
  const before = numbers.below(8);
  const buffer = new Uint8Array(before + bytes.length + 8).fill(numbers.below(256));
  buffer.set(bytes, before);
  return buffer.subarray(before, before + bytes.length);
}
