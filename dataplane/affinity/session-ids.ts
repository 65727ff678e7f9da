import { type LearntSessionId, sessionIdBytesMax } from "../../model/learnt.ts";
import type { ServerResourceName } from "../../model/resource-name.ts";

const entriesAtFirst = 64;

/** News between nodes come so much later than what happens here, at most: entries so little apart are in order. */
const disorderMs = 1000;

/** An entry's server, where it is no entry any more. */
const nobody = 0xffff;

/** Whose numbers fit into 16 bits. */
const serversMax = nobody;

/**
 * Session ids and the servers that gave them: a ring of entries in typed arrays, in the order in which they came, and a
 * hash index into it (open addressing, linear probing, at most half full). When the ring is full, the oldest goes. It
 * starts small and grows up to its maximum: 43 bytes an entry, and 8 to 16 of the index.
 *
 * Its hash is not keyed: clients put nothing into the table, so they can't make it slow.
 */
export class SessionIds {
  #entriesMax: number;
  #lifetimeMs: number;
  #ring = new Ring(entriesAtFirst);
  /** Place in the ring, plus one; 0 for none. */
  #index = new Uint32Array(entriesAtFirst * 2);
  /** The oldest entry; the others follow, `#used` of them, removed ones among them. */
  #first = 0;
  #used = 0;
  #count = 0;
  readonly #servers: (ServerResourceName | null)[] = [];
  readonly #numbers = new Map<ServerResourceName, number>();

  constructor(entriesMax: number, lifetimeMs: number) {
    this.#entriesMax = entriesMax;
    this.#lifetimeMs = lifetimeMs;
  }

  get count(): number {
    return this.#count;
  }

  /** Of the typed arrays. */
  get bytesUsed(): number {
    return this.#ring.bytesUsed + this.#index.byteLength;
  }

  /** The newest stay. */
  setLimits(entriesMax: number, lifetimeMs: number): void {
    this.#lifetimeMs = lifetimeMs;
    this.#entriesMax = entriesMax;
    while (this.#used > entriesMax) this.#removeFirst();
    if (this.#ring.entries > entriesMax) this.#rebuild(entriesMax, this.#places());
  }

  /** @returns whether this says something that was not known */
  learn(id: Uint8Array, server: ServerResourceName, sinceMs: number): boolean {
    if (id.length === 0 || id.length > sessionIdBytesMax) return false;
    const number = this.#numberOf(server);
    if (number === undefined) return false;
    const slot = this.#slotOf(id);
    const known = (this.#index[slot] as number) - 1;
    if (known >= 0) {
      if (sinceMs < (this.#ring.sinceMs[known] as number)) return false;
      this.#ring.sinceMs[known] = sinceMs;
      if (this.#ring.server[known] === number) return false;
      this.#ring.server[known] = number;
      return true;
    }
    this.#makeRoom();
    const place = (this.#first + this.#used) % this.#ring.entries;
    this.#ring.put(place, id, number, sinceMs);
    this.#index[this.#slotOf(id)] = place + 1;
    this.#used += 1;
    this.#count += 1;
    return true;
  }

  /** What others have known for a while is put among the rest by its age, once for all of it. */
  learnAll(entries: readonly LearntSessionId[], nowMs: number): void {
    const entriesMax = this.#entriesMax;
    const newest = this.#used === 0 ? -1 : (this.#first + this.#used - 1) % this.#ring.entries;
    const newestMs = newest === -1 ? nowMs : (this.#ring.sinceMs[newest] as number);
    const isInOrder = entries.every(({ ageMs }) => nowMs - ageMs >= newestMs - disorderMs);
    if (!isInOrder) this.#entriesMax = this.#used + entries.length;
    for (const { id, server, ageMs } of entries) this.learn(id, server, nowMs - Math.max(0, ageMs));
    this.#entriesMax = entriesMax;
    if (isInOrder) return;
    const { sinceMs } = this.#ring;
    const byAge = this.#places().sort((one, other) => (sinceMs[one] as number) - (sinceMs[other] as number));
    this.#rebuild(Math.min(this.#ring.entries, entriesMax), byAge.slice(-entriesMax));
  }

  server(id: Uint8Array, nowMs: number): ServerResourceName | null {
    if (id.length === 0 || id.length > sessionIdBytesMax) return null;
    const place = (this.#index[this.#slotOf(id)] as number) - 1;
    if (place < 0 || this.#isOld(place, nowMs)) return null;
    return this.#servers[this.#ring.server[place] as number] ?? null;
  }

  forget(server: ServerResourceName): void {
    const number = this.#numbers.get(server);
    if (number === undefined) return;
    for (let step = 0; step < this.#used; step += 1) {
      const place = (this.#first + step) % this.#ring.entries;
      if (this.#ring.server[place] === number) this.#remove(place);
    }
    this.#numbers.delete(server);
    this.#servers[number] = null;
  }

  /** Gives room back that old entries take. Those from other nodes may stand among younger ones, and wait for their turn. */
  expire(nowMs: number): void {
    while (this.#used > 0 && (this.#isRemoved(this.#first) || this.#isOld(this.#first, nowMs))) this.#removeFirst();
  }

  /** Newest first. */
  *newest(nowMs: number): Iterable<LearntSessionId> {
    for (let step = this.#used - 1; step >= 0; step -= 1) {
      const place = (this.#first + step) % this.#ring.entries;
      if (this.#isRemoved(place) || this.#isOld(place, nowMs)) continue;
      const server = this.#servers[this.#ring.server[place] as number];
      const ageMs = Math.max(0, nowMs - (this.#ring.sinceMs[place] as number));
      if (server != null) yield { server, id: this.#ring.id(place), ageMs };
    }
  }

  #isOld(place: number, nowMs: number): boolean {
    return nowMs - (this.#ring.sinceMs[place] as number) >= this.#lifetimeMs;
  }

  #isRemoved(place: number): boolean {
    return this.#ring.server[place] === nobody;
  }

  #makeRoom(): void {
    if (this.#used === this.#entriesMax) this.#removeFirst();
    if (this.#used === this.#ring.entries) {
      this.#rebuild(Math.min(this.#ring.entries * 2, this.#entriesMax), this.#places());
    }
  }

  #removeFirst(): void {
    if (!this.#isRemoved(this.#first)) this.#remove(this.#first);
    this.#first = (this.#first + 1) % this.#ring.entries;
    this.#used -= 1;
  }

  /** Its place in the ring stays taken until its turn comes. */
  #remove(place: number): void {
    this.#unindex(this.#slotOfPlace(place));
    this.#ring.server[place] = nobody;
    this.#count -= 1;
  }

  /** The slot that has the id, or the free one where it would be. */
  #slotOf(id: Uint8Array): number {
    const mask = this.#index.length - 1;
    for (let slot = hashOf(id, 0, id.length) & mask; ; slot = (slot + 1) & mask) {
      const place = (this.#index[slot] as number) - 1;
      if (place < 0 || this.#ring.holds(place, id)) return slot;
    }
  }

  #slotOfPlace(place: number): number {
    const mask = this.#index.length - 1;
    let slot = this.#ring.hash(place) & mask;
    while (this.#index[slot] !== place + 1) slot = (slot + 1) & mask;
    return slot;
  }

  /** Closes the gap: entries behind it move up, unless that would put them before the slot where they belong. */
  #unindex(gap: number): void {
    const mask = this.#index.length - 1;
    let free = gap;
    for (let slot = (gap + 1) & mask; this.#index[slot] !== 0; slot = (slot + 1) & mask) {
      const home = this.#ring.hash((this.#index[slot] as number) - 1) & mask;
      if (((slot - home) & mask) < ((slot - free) & mask)) continue;
      this.#index[free] = this.#index[slot] as number;
      free = slot;
    }
    this.#index[free] = 0;
  }

  /** Of the entries, oldest first. */
  #places(): Uint32Array {
    const places = new Uint32Array(this.#used);
    let count = 0;
    for (let step = 0; step < this.#used; step += 1) {
      const place = (this.#first + step) % this.#ring.entries;
      if (!this.#isRemoved(place)) places[count++] = place;
    }
    return places.subarray(0, count);
  }

  /** A ring of that many places, with these entries of the old one. */
  #rebuild(entries: number, places: Uint32Array): void {
    const old = this.#ring;
    const ring = new Ring(entries);
    this.#index = new Uint32Array(2 ** Math.ceil(Math.log2(entries * 2)));
    const mask = this.#index.length - 1;
    for (const [to, from] of places.entries()) {
      ring.copy(to, old, from);
      let slot = ring.hash(to) & mask;
      while (this.#index[slot] !== 0) slot = (slot + 1) & mask;
      this.#index[slot] = to + 1;
    }
    this.#ring = ring;
    this.#first = 0;
    this.#used = places.length;
    this.#count = places.length;
  }

  #numberOf(server: ServerResourceName): number | undefined {
    const known = this.#numbers.get(server);
    if (known !== undefined) return known;
    const free = this.#servers.indexOf(null);
    const number = free === -1 ? this.#servers.length : free;
    if (number >= serversMax) return undefined;
    this.#servers[number] = server;
    this.#numbers.set(server, number);
    return number;
  }
}

class Ring {
  readonly entries: number;
  readonly server: Uint16Array;
  readonly sinceMs: Float64Array;
  readonly #ids: Uint8Array;
  readonly #lengths: Uint8Array;

  constructor(entries: number) {
    this.entries = entries;
    this.server = new Uint16Array(entries).fill(nobody);
    this.sinceMs = new Float64Array(entries);
    this.#ids = new Uint8Array(entries * sessionIdBytesMax);
    this.#lengths = new Uint8Array(entries);
  }

  get bytesUsed(): number {
    return this.server.byteLength + this.sinceMs.byteLength + this.#ids.byteLength + this.#lengths.byteLength;
  }

  put(place: number, id: Uint8Array, server: number, sinceMs: number): void {
    this.#ids.set(id, place * sessionIdBytesMax);
    this.#lengths[place] = id.length;
    this.server[place] = server;
    this.sinceMs[place] = sinceMs;
  }

  copy(place: number, from: Ring, fromPlace: number): void {
    const start = fromPlace * sessionIdBytesMax;
    this.#ids.set(from.#ids.subarray(start, start + sessionIdBytesMax), place * sessionIdBytesMax);
    this.#lengths[place] = from.#lengths[fromPlace] as number;
    this.server[place] = from.server[fromPlace] as number;
    this.sinceMs[place] = from.sinceMs[fromPlace] as number;
  }

  hash(place: number): number {
    const start = place * sessionIdBytesMax;
    return hashOf(this.#ids, start, start + (this.#lengths[place] as number));
  }

  /** A copy. */
  id(place: number): Uint8Array {
    const start = place * sessionIdBytesMax;
    return this.#ids.slice(start, start + (this.#lengths[place] as number));
  }

  holds(place: number, id: Uint8Array): boolean {
    if (this.#lengths[place] !== id.length) return false;
    const start = place * sessionIdBytesMax;
    for (let at = 0; at < id.length; at += 1) if (this.#ids[start + at] !== id[at]) return false;
    return true;
  }
}

/** FNV-1a with a last stir (MurmurHash3 fmix32), as the low bits choose the slot. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let at = start; at < end; at += 1) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
