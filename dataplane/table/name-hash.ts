/**
 * The hash of names, fed from a name's last byte to its first: the states at the dots on the way are then the hashes of
 * all its suffixes, and one pass over an announced name serves the exact name and every wildcard that may cover it.
 *
 * It is seeded, but no keyed function of a cryptographer, and need not be one. Clients put nothing into a table, so they
 * can't make it slow; whoever may write routes could choose names that collide, where they knew the seed.
 */

/** The state after one byte more. Start with the seed, any 32-bit number. */
export function hashByte(state: number, byte: number): number {
  const product = Math.imul(state ^ byte, 0x9e3779b1);
  // Multiplication moves bits upwards only; the shift brings the upper half back, or low bits would never learn of it.
  return product ^ (product >>> 15);
}

/** The hash of what was fed: a signed 32-bit number, each bit of which depends on all of the state (MurmurHash3 fmix32). */
export function hashEnd(state: number): number {
  let hash = state;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
