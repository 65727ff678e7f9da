import { hashByte, hashEnd } from "../../table/name-hash.ts";

/**
 * The hashes that clients are spread by. All nodes have the same ones, in all versions, or a client that comes by another
 * node would find another server: a test holds them to values of today.
 *
 * They are no secret. Who may choose what is hashed (a server name, an IPv6 address) can heap connections on one server of
 * a farm that hashes it; `hash_balance_factor` and `connections_max` bound what comes of it.
 */

const keySeed = 0x1656_67b1;

/** Of the first `bits` of some bytes: 32 bits, unsigned. */
export function bitsHash(bytes: Uint8Array, bits: number): number {
  let state = keySeed;
  const whole = Math.min(bits >> 3, bytes.length);
  for (let index = 0; index < whole; index += 1) state = hashByte(state, bytes[index] as number);
  const rest = bits & 7;
  if (rest > 0 && whole < bytes.length) state = hashByte(state, (bytes[whole] as number) & (0xff00 >> rest));
  return hashEnd(state) >>> 0;
}

/** Of a resource's id, which is ASCII: 32 bits, unsigned. */
export function textHash(text: string, seed: number): number {
  let state = seed;
  for (let index = 0; index < text.length; index += 1) state = hashByte(state, text.charCodeAt(index));
  return hashEnd(state) >>> 0;
}

/** Of a key with what has two hashes: evenly between 0 and 1, and neither of them. */
export function pairUnit(key: number, first: number, second: number): number {
  return ((hashEnd(hashEnd(key ^ first) + second) >>> 0) + 0.5) / 2 ** 32;
}

/** The same key's next draws, each as good as another key; the first is the key itself. 32 bits, unsigned. */
export function keyOfDraw(key: number, draw: number): number {
  return draw === 0 ? key : hashEnd(key + Math.imul(draw, 0x9e37_79b1)) >>> 0;
}
