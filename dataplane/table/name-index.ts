import { NameSegment, segmentBitsMax, segmentNamesMax } from "./name-segment.ts";

/** Slots of the only segment of an empty index, in bits. */
const segmentBitsMin = 3;

/** Room for the first name of any length. */
const arenaBytesMin = 256;

/** Low bits of the hash that may choose a segment. Beyond them a segment grows instead of being split. */
const depthMax = 20;

/**
 * A map from names, given as bytes with their hash, to values: extendible hashing (Fagin, Nievergelt, Pippenger and
 * Strong, 1979). A directory of segments is indexed by the low bits of the hash; a full segment is split in two by one
 * bit more, and the directory doubles when a segment needs more bits than it has.
 *
 * It is chosen over one large table for what a single change may cost: never more than one segment's rewriting (384
 * names), however many names there are, with no migration that goes on between changes. And it makes a fork cheap:
 * both sides share all segments, and copy one before they first write to it.
 */
export class NameIndex<Value extends object> {
  #owner = {};
  #directory: NameSegment<Value>[];
  #count = 0;

  /** What is expected only saves time: an index that is to hold a million names need not be split on the way there. */
  constructor(namesExpected: number, nameBytesExpected: number) {
    let depth = 0;
    // A fifth is left free, or chance alone would fill some segments during the build.
    while (depth < depthMax && namesExpected / (1 << depth) > segmentNamesMax(segmentBitsMax) * 0.8) depth += 1;
    const bits = depth === 0 ? segmentBitsMin : segmentBitsMax;
    const arenaBytes = arenaBytesMin + Math.ceil(((4 * namesExpected + nameBytesExpected) / (1 << depth)) * 1.1);
    this.#directory = Array.from(
      { length: 1 << depth },
      () => new NameSegment<Value>(this.#owner, depth, bits, arenaBytes),
    );
  }

  get count(): number {
    return this.#count;
  }

  /** Bytes of the typed arrays, and 8 for each reference to a value or a segment. Segments shared with forks count. */
  get bytesUsed(): number {
    let bytes = this.#directory.length * 8;
    for (const [at, segment] of this.#directory.entries()) if (at >> segment.depth === 0) bytes += segment.bytesUsed;
    return bytes;
  }

  /** The value of the name `name[start, end)`, whose hash is given. */
  find(name: Uint8Array, start: number, end: number, hash: number): Value | undefined {
    return this.#segmentOf(hash).find(name, start, end, hash);
  }

  /** Puts a name in that is not there, or answers the value that it has. A name is 1 to 255 bytes. */
  add(name: Uint8Array, start: number, end: number, hash: number, value: Value): Value | undefined {
    let segment = this.#writable(hash);
    while (segment.full) {
      this.#relieve(segment, hash);
      segment = this.#segmentOf(hash);
    }
    const present = segment.add(name, start, end, hash, value);
    if (present === undefined) this.#count += 1;
    return present;
  }

  /** Gives a name that is there another value; whether it is there. */
  replace(name: Uint8Array, start: number, end: number, hash: number, value: Value): boolean {
    return this.#writable(hash).replace(name, start, end, hash, value);
  }

  /** Takes a name out; whether it was there. */
  delete(name: Uint8Array, start: number, end: number, hash: number): boolean {
    const segment = this.#writable(hash);
    if (!segment.delete(name, start, end, hash)) return false;
    this.#count -= 1;
    this.#merge(segment, hash);
    return true;
  }

  /** An independent index with the same content, for the price of a copied directory. */
  fork(): NameIndex<Value> {
    const fork = new NameIndex<Value>(0, 0);
    fork.#directory = this.#directory.slice();
    fork.#count = this.#count;
    // From now on neither side owns what both see.
    this.#owner = {};
    return fork;
  }

  #segmentOf(hash: number): NameSegment<Value> {
    return this.#directory[hash & (this.#directory.length - 1)] as NameSegment<Value>;
  }

  #writable(hash: number): NameSegment<Value> {
    const segment = this.#segmentOf(hash);
    if (segment.owner === this.#owner) return segment;
    const copy = segment.copy(this.#owner);
    this.#place(copy, hash);
    return copy;
  }

  /** Makes every directory entry that ends with the segment's bits of `hash` point to it. */
  #place(segment: NameSegment<Value>, hash: number): void {
    const step = 1 << segment.depth;
    for (let at = hash & (step - 1); at < this.#directory.length; at += step) this.#directory[at] = segment;
  }

  /** Gives a full segment, which is writable, room: a small one grows, a large one is split. */
  #relieve(segment: NameSegment<Value>, hash: number): void {
    const { depth, bits } = segment;
    if (bits < segmentBitsMax || depth === depthMax) {
      const larger = new NameSegment<Value>(this.#owner, depth, bits + 1, arenaBytesMin + 2 * segment.nameBytes);
      segment.moveTo(larger);
      this.#place(larger, hash);
      return;
    }
    if (1 << depth === this.#directory.length) this.#directory = this.#directory.concat(this.#directory);
    this.#place(segment.split(), hash | (1 << depth));
  }

  /**
   * Joins a segment and its sibling where a quarter of one would hold both, so that memory is given back. The directory
   * keeps its size. A quarter, so that names that come and go do not make the same segment split and join in turn.
   */
  #merge(segment: NameSegment<Value>, hash: number): void {
    const { depth } = segment;
    if (depth === 0) return;
    const sibling = this.#segmentOf(hash ^ (1 << (depth - 1)));
    if (sibling.depth !== depth || segment.count + sibling.count > segmentNamesMax(segmentBitsMax) / 4) return;
    const arenaBytes = arenaBytesMin + segment.nameBytes + sibling.nameBytes;
    const joint = new NameSegment<Value>(this.#owner, depth - 1, segmentBitsMax, arenaBytes);
    segment.moveTo(joint);
    sibling.moveTo(joint);
    this.#place(joint, hash);
  }
}
