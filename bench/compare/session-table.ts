import { randomInt } from "node:crypto";

/** As HAProxy's stick table in the comparison: `size 30k`. */
const entriesMax = 30_000;
const chains = 2 ** 15;
const none = -1;

/** Offsets of a hello in one record: record header 5, handshake header 4, version 2, random 32 (RFC 5246 section 7.4.1). */
const sessionIdLengthOffset = 43;
const sessionIdOffset = 44;
const sessionIdBytesMax = 32;

/**
 * Affinity by TLS 1.2 session id for the bench's target: learnt from ServerHellos, looked up by ClientHellos, the entry
 * that was learnt first dropped for the newest.
 *
 * A hash table over bytes, with chains of entry numbers: a Map would need a string for every id that is looked up, which
 * took 3 us of each connection. Clients choose what is looked up, so the hash begins with a secret.
 */
export class SessionTable<Server> {
  readonly #first = new Int32Array(chains).fill(none);
  readonly #next = new Int32Array(entriesMax);
  readonly #ids = new Uint8Array(entriesMax * sessionIdBytesMax);
  readonly #lengths = new Uint8Array(entriesMax);
  readonly #servers: Server[] = [];
  readonly #secret = randomInt(2 ** 32);
  /** The entry that is written next: once all are taken, the oldest. */
  #newest = 0;

  get size(): number {
    return this.#servers.length;
  }

  find(sessionId: Uint8Array): Server | undefined {
    const { length } = sessionId;
    if (length === 0 || length > sessionIdBytesMax) return undefined;
    const entry = this.#find(sessionId, 0, length, this.#chain(sessionId, 0, length));
    return entry === none ? undefined : this.#servers[entry];
  }

  /** Learns from a server's first bytes; anything but a whole ServerHello with a session id teaches nothing. */
  learn(serverBytes: Uint8Array, server: Server): void {
    const length = serverBytes[sessionIdLengthOffset];
    if (serverBytes[0] !== 22 || serverBytes[5] !== 2 || length === undefined) return;
    if (length === 0 || length > sessionIdBytesMax || serverBytes.length < sessionIdOffset + length) return;
    const chain = this.#chain(serverBytes, sessionIdOffset, length);
    if (this.#find(serverBytes, sessionIdOffset, length, chain) !== none) return;
    const entry = this.#newest;
    this.#newest = (entry + 1) % entriesMax;
    if (entry < this.size) this.#unlink(entry);
    const at = entry * sessionIdBytesMax;
    for (let index = 0; index < length; index += 1)
      this.#ids[at + index] = serverBytes[sessionIdOffset + index] as number;
    this.#lengths[entry] = length;
    this.#servers[entry] = server;
    this.#next[entry] = this.#first[chain] as number;
    this.#first[chain] = entry;
  }

  #find(bytes: Uint8Array, start: number, length: number, chain: number): number {
    for (let entry = this.#first[chain] as number; entry !== none; entry = this.#next[entry] as number) {
      if (this.#lengths[entry] === length && this.#holds(entry, bytes, start, length)) return entry;
    }
    return none;
  }

  #holds(entry: number, bytes: Uint8Array, start: number, length: number): boolean {
    const at = entry * sessionIdBytesMax;
    for (let index = 0; index < length; index += 1) {
      if (this.#ids[at + index] !== bytes[start + index]) return false;
    }
    return true;
  }

  #unlink(entry: number): void {
    const chain = this.#chain(this.#ids, entry * sessionIdBytesMax, this.#lengths[entry] as number);
    const next = this.#next[entry] as number;
    if (this.#first[chain] === entry) {
      this.#first[chain] = next;
      return;
    }
    let before = this.#first[chain] as number;
    while (this.#next[before] !== entry) before = this.#next[before] as number;
    this.#next[before] = next;
  }

  /** FNV-1a from a secret start, with the upper bits mixed in. */
  #chain(bytes: Uint8Array, start: number, length: number): number {
    let hash = this.#secret;
    for (let index = 0; index < length; index += 1)
      hash = Math.imul(hash ^ (bytes[start + index] as number), 0x01000193);
    return (hash ^ (hash >>> 15)) & (chains - 1);
  }
}
