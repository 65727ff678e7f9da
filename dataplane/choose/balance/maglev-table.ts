import type { Member } from "./member.ts";

/**
 * Slots of a table: a prime, so that each server's steps come by all of them. The default of the paper, for farms of any
 * size: a size that followed the number of servers would move nearly every client when it changes.
 */
export const maglevSlots = 65_537;

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
  const slots = none < 2 ** 16 ? new Uint16Array(maglevSlots) : new Uint32Array(maglevSlots);
  slots.fill(none);
  if (none === 0) return slots;
  const weightMax = members.reduce((max, { server }) => Math.max(max, server.weight), 0);
  const next = Int32Array.from(members, ({ hashes }) => hashes[0] % maglevSlots);
  const skips = Int32Array.from(members, ({ hashes }) => (hashes[1] % (maglevSlots - 1)) + 1);
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
      while (slots[slot] !== none) slot = slot + skip < maglevSlots ? slot + skip : slot + skip - maglevSlots;
      slots[slot] = index;
      // The next time it looks on from here; it will see that this one is taken.
      next[index] = slot;
      filled += 1;
      if (filled === maglevSlots) return slots;
    }
}
