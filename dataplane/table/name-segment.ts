/** Slots of a segment at most, in bits: what {@link NameIndex} splits beyond, and so what one change may cost. */
export const segmentBitsMax = 9;

/** A segment is full at 3/4 of its slots; linear probing then looks at 8.5 slots for a name that is not there. */
export function segmentNamesMax(bits: number): number {
  return 3 * (1 << (bits - 2));
}

/** Less waste than this is not worth a renewal of the arena. */
const arenaWasteMin = 1024;

/** Bytes before a name in the arena: where its value is, in three, and its length. */
const headerBytes = 4;

/**
 * A piece of a {@link NameIndex}: an open-addressing hash from names to values, with linear probing.
 *
 * A slot is two numbers side by side, so that one cache line answers most probes: the name's hash, and the place of its
 * bytes in the arena; place 0 says that the slot is free. Before the bytes stand their length and the number of the
 * name's value. Values never move while names do: a reference that is written costs the collector's write barrier, and
 * a hundred times as much while it marks.
 *
 * Removal moves later slots back instead of leaving tombstones, so that lookups do not wear out; the bytes that it
 * leaves in the arena are dropped when the arena is next full.
 *
 * Whoever holds a segment may write to it only if it made it (`owner`), for forks share segments.
 */
export class NameSegment<Value extends object> {
  readonly owner: object;
  /** How many low bits of the hash all names in here have in common. */
  depth: number;
  readonly bits: number;
  #count = 0;
  readonly #slots: Int32Array;
  /** At each number a value or, where none is, the next vacant number. */
  readonly #values: (Value | number)[];
  #vacant = 0;
  #arena: Uint8Array;
  #arenaEnd = 0;
  #arenaWaste = 0;

  constructor(owner: object, depth: number, bits: number, arenaBytes: number, original?: NameSegment<Value>) {
    this.owner = owner;
    this.depth = depth;
    this.bits = bits;
    if (original === undefined) {
      this.#slots = new Int32Array(2 << bits);
      // In a loop: a million names have thousands of segments, and a call for each number would show.
      this.#values = new Array<Value | number>(segmentNamesMax(bits));
      for (let number = 0; number < this.#values.length; number += 1) this.#values[number] = number + 1;
      this.#arena = new Uint8Array(arenaBytes);
      return;
    }
    this.#count = original.#count;
    this.#slots = original.#slots.slice();
    this.#values = original.#values.slice();
    this.#vacant = original.#vacant;
    this.#arena = original.#arena.slice(0, original.#arenaEnd);
    this.#arenaEnd = original.#arenaEnd;
    this.#arenaWaste = original.#arenaWaste;
  }

  get count(): number {
    return this.#count;
  }

  get full(): boolean {
    return this.#count === this.#values.length;
  }

  /** Bytes of the arena that are in use. */
  get nameBytes(): number {
    return this.#arenaEnd - this.#arenaWaste;
  }

  /** Bytes of the typed arrays, and of the references to values at 8 bytes each. */
  get bytesUsed(): number {
    return this.#slots.byteLength + this.#values.length * 8 + this.#arena.byteLength;
  }

  find(name: Uint8Array, start: number, end: number, hash: number): Value | undefined {
    const slot = this.#slotOf(name, start, end, hash);
    return slot < 0 ? undefined : this.#valueAt(this.#slots[2 * slot + 1] as number);
  }

  /** Puts a name in that is not there, or answers the value that it has. The segment must not be full. */
  add(name: Uint8Array, start: number, end: number, hash: number, value: Value): Value | undefined {
    const slot = this.#slotOf(name, start, end, hash);
    if (slot >= 0) return this.#valueAt(this.#slots[2 * slot + 1] as number);
    this.#insert(name, start, end, hash, value);
    return undefined;
  }

  /** Gives a name that is there another value; whether it is there. */
  replace(name: Uint8Array, start: number, end: number, hash: number, value: Value): boolean {
    const slot = this.#slotOf(name, start, end, hash);
    if (slot < 0) return false;
    this.#values[this.#numberAt(this.#slots[2 * slot + 1] as number)] = value;
    return true;
  }

  /** Takes a name out; whether it was there. */
  delete(name: Uint8Array, start: number, end: number, hash: number): boolean {
    const slot = this.#slotOf(name, start, end, hash);
    if (slot < 0) return false;
    this.#vacate(this.#slots[2 * slot + 1] as number);
    this.#closeGap(slot);
    return true;
  }

  /** A segment of the same names that `owner` may write to. */
  copy(owner: object): NameSegment<Value> {
    return new NameSegment<Value>(owner, this.depth, this.bits, 0, this);
  }

  /**
   * Becomes one bit deeper: keeps the names whose next bit is 0, and answers a new segment of the others. That one is a
   * copy, and from either one half is taken; the bytes of that half stay in the arenas as waste, since to sort them out
   * would take longer than all else, and the next renewal of an arena does it anyway.
   */
  split(): NameSegment<Value> {
    const bit = this.depth;
    this.depth += 1;
    const other = this.copy(this.owner);
    this.#keep(bit, 0);
    other.#keep(bit, 1);
    return other;
  }

  /** Puts each name into another segment, which has room and none of the names. */
  moveTo(target: NameSegment<Value>): void {
    const arena = this.#arena;
    for (let slot = 0; slot < this.#slots.length; slot += 2) {
      const place = this.#slots[slot + 1] as number;
      if (place === 0) continue;
      const end = place + (arena[place - 1] as number);
      target.#insert(arena, place, end, this.#slots[slot] as number, this.#valueAt(place));
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

  /** The number of the value of the name at a place. */
  #numberAt(place: number): number {
    const arena = this.#arena;
    return (arena[place - 4] as number) | ((arena[place - 3] as number) << 8) | ((arena[place - 2] as number) << 16);
  }

  #valueAt(place: number): Value {
    return this.#values[this.#numberAt(place)] as Value;
  }

  #insert(name: Uint8Array, start: number, end: number, hash: number, value: Value): void {
    const needed = headerBytes + end - start;
    // Three eighths: so that a half that was left by a split is dropped by the next insertion.
    const wasteful = this.#arenaWaste > arenaWasteMin && this.#arenaWaste * 8 > this.#arenaEnd * 3;
    if (wasteful || this.#arenaEnd + needed > this.#arena.length) this.#renewArena(needed);
    const number = this.#vacant;
    this.#vacant = this.#values[number] as number;
    this.#values[number] = value;
    this.#occupy(hash, this.#append(name, start, end, number));
    this.#count += 1;
  }

  /** Takes the first free slot for a name that is in the arena. */
  #occupy(hash: number, place: number): void {
    const slots = this.#slots;
    const mask = (1 << this.bits) - 1;
    let slot = hash >>> (32 - this.bits);
    while (slots[2 * slot + 1] !== 0) slot = (slot + 1) & mask;
    slots[2 * slot] = hash;
    slots[2 * slot + 1] = place;
  }

  /** Gives up the value of the name at a place, and its bytes. */
  #vacate(place: number): void {
    const number = this.#numberAt(place);
    this.#values[number] = this.#vacant;
    this.#vacant = number;
    this.#count -= 1;
    this.#arenaWaste += headerBytes + (this.#arena[place - 1] as number);
  }

  /** Takes out the names whose bit number `bit` is not the one asked for. */
  #keep(bit: number, asked: number): void {
    const slots = this.#slots;
    const mask = (1 << this.bits) - 1;
    // Behind a free slot no name was pushed past: from there on, each that is taken up finds its place where it was or
    // earlier, and not among those that are still to come.
    let free = 0;
    while (slots[2 * free + 1] !== 0) free += 1;
    for (let step = 1; step <= mask; step += 1) {
      const slot = (free + step) & mask;
      const place = slots[2 * slot + 1] as number;
      if (place === 0) continue;
      slots[2 * slot + 1] = 0;
      const hash = slots[2 * slot] as number;
      if (((hash >>> bit) & 1) === asked) this.#occupy(hash, place);
      else this.#vacate(place);
    }
  }

  /** Writes a name at the arena's end; answers its place. */
  #append(name: Uint8Array, start: number, end: number, number: number): number {
    const arena = this.#arena;
    const place = this.#arenaEnd + headerBytes;
    arena[place - 4] = number;
    arena[place - 3] = number >> 8;
    arena[place - 2] = number >> 16;
    arena[place - 1] = end - start;
    for (let index = start; index < end; index += 1) arena[place - start + index] = name[index] as number;
    this.#arenaEnd = place + end - start;
    return place;
  }

  /** A new arena with the names that are still in use, room for `needed` bytes more, and a half of that on top. */
  #renewArena(needed: number): void {
    const old = this.#arena;
    const room = Math.ceil((this.nameBytes + needed) * 1.5);
    if (this.#arenaWaste === 0) {
      this.#arena = new Uint8Array(room);
      this.#arena.set(old);
      return;
    }
    const slots = this.#slots;
    const arena = new Uint8Array(room);
    let end = 0;
    for (let slot = 1; slot < slots.length; slot += 2) {
      const place = slots[slot] as number;
      if (place === 0) continue;
      const from = place - headerBytes;
      const length = headerBytes + (old[place - 1] as number);
      for (let index = 0; index < length; index += 1) arena[end + index] = old[from + index] as number;
      slots[slot] = end + headerBytes;
      end += length;
    }
    this.#arena = arena;
    this.#arenaEnd = end;
    this.#arenaWaste = 0;
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
      gap = slot;
    }
    slots[2 * gap + 1] = 0;
  }
}
