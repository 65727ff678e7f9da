/** Slots of a segment at most, in bits: what {@link NameIndex} splits beyond, and so what one change may cost. */
export const segmentBitsMax = 10;

/** A segment is full at 3/4 of its slots; linear probing then looks at 8.5 slots for a name that is not there. */
export function segmentNamesMax(bits: number): number {
  return 3 * (1 << (bits - 2));
}

/**
 * A piece of a {@link NameIndex}: an open-addressing hash from names to values, with linear probing.
 *
 * A slot is two numbers side by side, so that one cache line answers most probes: the name's hash, and where its bytes
 * begin in the arena plus one; 0 there says that the slot is free. In the arena a name is its length in one byte, then
 * its bytes. Removal moves later slots back instead of leaving tombstones, so that lookups do not wear out; the bytes
 * that it leaves in the arena are dropped when the arena is next full.
 *
 * Whoever holds a segment may write to it only if it made it (`owner`), for forks share segments.
 */
export class NameSegment<Value> {
  readonly owner: object;
  /** How many low bits of the hash all names in here have in common. */
  readonly depth: number;
  readonly bits: number;
  count = 0;
  readonly #slots: Int32Array;
  readonly #values: (Value | undefined)[];
  #arena: Uint8Array;
  #arenaEnd = 0;
  #arenaWaste = 0;

  constructor(owner: object, depth: number, bits: number, arenaBytes: number) {
    this.owner = owner;
    this.depth = depth;
    this.bits = bits;
    this.#slots = new Int32Array(2 << bits);
    this.#values = new Array<Value | undefined>(1 << bits).fill(undefined);
    this.#arena = new Uint8Array(arenaBytes);
  }

  get full(): boolean {
    return this.count >= segmentNamesMax(this.bits);
  }

  /** Bytes that the names in here take in an arena. */
  get nameBytes(): number {
    return this.#arenaEnd - this.#arenaWaste;
  }

  /** Bytes of the typed arrays, and of the references to values at 8 bytes each. */
  get bytesUsed(): number {
    return this.#slots.byteLength + this.#values.length * 8 + this.#arena.byteLength;
  }

  find(name: Uint8Array, start: number, end: number, hash: number): Value | undefined {
    const slot = this.#slotOf(name, start, end, hash);
    return slot < 0 ? undefined : this.#values[slot];
  }

  /** Puts a name in that is not there, or answers the value that it has. The segment must not be full. */
  add(name: Uint8Array, start: number, end: number, hash: number, value: Value): Value | undefined {
    const slot = this.#slotOf(name, start, end, hash);
    if (slot >= 0) return this.#values[slot];
    this.#insert(name, start, end, hash, value);
    return undefined;
  }

  /** Gives a name that is there another value; whether it is there. */
  replace(name: Uint8Array, start: number, end: number, hash: number, value: Value): boolean {
    const slot = this.#slotOf(name, start, end, hash);
    if (slot < 0) return false;
    this.#values[slot] = value;
    return true;
  }

  /** Takes a name out; whether it was there. */
  delete(name: Uint8Array, start: number, end: number, hash: number): boolean {
    const slot = this.#slotOf(name, start, end, hash);
    if (slot < 0) return false;
    this.#arenaWaste += 1 + end - start;
    this.count -= 1;
    this.#closeGap(slot);
    return true;
  }

  /** A segment of the same names that `owner` may write to. */
  copy(owner: object): NameSegment<Value> {
    const copy = new NameSegment<Value>(owner, this.depth, this.bits, this.#arena.length);
    copy.#slots.set(this.#slots);
    for (let slot = 0; slot < this.#values.length; slot += 1) copy.#values[slot] = this.#values[slot];
    copy.#arena.set(this.#arena);
    copy.#arenaEnd = this.#arenaEnd;
    copy.#arenaWaste = this.#arenaWaste;
    copy.count = this.count;
    return copy;
  }

  /** Puts each name into `zero` or `one`, as bit number `bit` of its hash says. Neither may have one of them already. */
  distribute(bit: number, zero: NameSegment<Value>, one: NameSegment<Value>): void {
    const arena = this.#arena;
    for (let slot = 0; slot < this.#values.length; slot += 1) {
      const place = this.#slots[2 * slot + 1] as number;
      if (place === 0) continue;
      const hash = this.#slots[2 * slot] as number;
      const target = (hash >>> bit) & 1 ? one : zero;
      target.#insert(arena, place, place + (arena[place - 1] as number), hash, this.#values[slot] as Value);
    }
  }

  #slotOf(name: Uint8Array, start: number, end: number, hash: number): number {
    const slots = this.#slots;
    const mask = (1 << this.bits) - 1;
    // The index chooses segments by the low bits; the high ones are still free to spread names in here.
    for (let slot = hash >>> (32 - this.bits); ; slot = (slot + 1) & mask) {
      const place = slots[2 * slot + 1] as number;
      if (place === 0) return -1;
      if (slots[2 * slot] === hash && this.#nameIs(place, name, start, end)) return slot;
    }
  }

  #nameIs(place: number, name: Uint8Array, start: number, end: number): boolean {
    const arena = this.#arena;
    if (arena[place - 1] !== end - start) return false;
    for (let index = start; index < end; index += 1) if (arena[place - start + index] !== name[index]) return false;
    return true;
  }

  #insert(name: Uint8Array, start: number, end: number, hash: number, value: Value): void {
    const slots = this.#slots;
    const mask = (1 << this.bits) - 1;
    let slot = hash >>> (32 - this.bits);
    while (slots[2 * slot + 1] !== 0) slot = (slot + 1) & mask;
    if (this.#arenaEnd + 1 + end - start > this.#arena.length) this.#renewArena(1 + end - start);
    slots[2 * slot] = hash;
    slots[2 * slot + 1] = this.#append(name, start, end);
    this.#values[slot] = value;
    this.count += 1;
  }

  /** Writes a name at the arena's end; answers its place: one more than where it begins, and so where its bytes do. */
  #append(name: Uint8Array, start: number, end: number): number {
    const arena = this.#arena;
    const place = this.#arenaEnd + 1;
    arena[place - 1] = end - start;
    for (let index = start; index < end; index += 1) arena[place - start + index] = name[index] as number;
    this.#arenaEnd = place + end - start;
    return place;
  }

  /** A new arena with the names that are still in use, room for `needed` bytes more, and a half of that on top. */
  #renewArena(needed: number): void {
    const old = this.#arena;
    const used = this.#arenaEnd - this.#arenaWaste;
    this.#arena = new Uint8Array(Math.ceil((used + needed) * 1.5));
    if (this.#arenaWaste === 0) {
      this.#arena.set(old);
      return;
    }
    this.#arenaEnd = 0;
    this.#arenaWaste = 0;
    for (let slot = 1; slot < this.#slots.length; slot += 2) {
      const place = this.#slots[slot] as number;
      if (place !== 0) this.#slots[slot] = this.#append(old, place, place + (old[place - 1] as number));
    }
  }

  /**
   * Moves back what was pushed past the gap by collisions (Knuth, The Art of Computer Programming, volume 3, section
   * 6.4, algorithm R), and frees the slot that is then left over.
   */
  #closeGap(freed: number): void {
    const slots = this.#slots;
    const mask = (1 << this.bits) - 1;
    let gap = freed;
    for (let slot = (gap + 1) & mask; slots[2 * slot + 1] !== 0; slot = (slot + 1) & mask) {
      const home = (slots[2 * slot] as number) >>> (32 - this.bits);
      if (((slot - home) & mask) < ((slot - gap) & mask)) continue;
      slots[2 * gap] = slots[2 * slot] as number;
      slots[2 * gap + 1] = slots[2 * slot + 1] as number;
      this.#values[gap] = this.#values[slot];
      gap = slot;
    }
    slots[2 * gap + 1] = 0;
    this.#values[gap] = undefined;
  }
}
