import type { Member } from "./member.ts";

/**
 * Slots of a table: primes, so that each server's steps come by all of them. Two sizes, for another size moves nearly every
 * client: a farm passes from one to the other once, where 100 slots a server are no longer had. Once the
 * code is warm the smaller is built in about a millisecond, and the larger, which is the paper's default, in about five.
 */
const slotsOfFew = 16_381;
const slotsOfMany = 65_537;
const fewServersMax = 160;

/**
 * A lookup table of Maglev (Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load Balancer", NSDI 2016, section
 * 3.4): each slot has the index of a server. Every server has an order of preference over all slots, made of an offset and
 * a skip; they take turns at the next slot in their order that is free. Weight is how often a server's turn comes: those of
 * the largest weight have one in each round.
 *
 * Servers of equal weight have equally many slots, give or take one. With N servers a part differs by at most 1% where
 * there are 100 slots a server.
 */
export function buildMaglevTable(members: readonly Member[]): Uint16Array | Uint32Array {
  const none = members.length;
  const size = none <= fewServersMax ? slotsOfFew : slotsOfMany;
  const slots = none < 2 ** 16 ? new Uint16Array(size) : new Uint32Array(size);
  slots.fill(none);
  if (none === 0) return slots;
  const weightMax = members.reduce((max, { server }) => Math.max(max, server.weight), 0);
  const next = Int32Array.from(members, ({ hashes }) => hashes[0] % size);
  const skips = Int32Array.from(members, ({ hashes }) => (hashes[1] % (size - 1)) + 1);
  const weights = Int32Array.from(members, ({ server }) => server.weight);
  const credits = new Int32Array(none);
  let filled = 0;
  for (;;)
    for (let index = 0; index < none; index += 1) {
      const credit = (credits[index] as number) + (weights[index] as number);
      credits[index] = credit < weightMax ? credit : credit - weightMax;
      if (credit < weightMax) continue;
      let slot = next[index] as number;
      const skip = skips[index] as number;
      while (slots[slot] !== none) slot = slot + skip < size ? slot + skip : slot + skip - size;
      slots[slot] = index;
      // The next time it looks on from here; it will see that this one is taken.
      next[index] = slot;
      filled += 1;
      if (filled === size) return slots;
    }
}
