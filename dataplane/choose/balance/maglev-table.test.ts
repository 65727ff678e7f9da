import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Server } from "../../../model/resource.ts";
import { written } from "../../../test/support/arbitrary-resource.ts";
import { runSeed } from "../../../test/support/seeded-random.ts";
import { buildMaglevTable } from "./maglev-table.ts";
import { type Member, newMember } from "./member.ts";

function membersOf(weights: readonly number[]): Member[] {
  return weights.map((weight, index) => {
    const name = `farms/f/servers/s${String(index).padStart(4, "0")}`;
    return newMember(written({ server: { name, address: "127.0.0.1:1", weight } }) as Server);
  });
}

function slotsOfEach(table: ArrayLike<number>, servers: number): number[] {
  const counts = new Array<number>(servers).fill(0);
  for (let slot = 0; slot < table.length; slot += 1)
    counts[table[slot] as number] = (counts[table[slot] as number] ?? 0) + 1;
  return counts;
}

/** The part of the slots that pass between two servers that both stay as they are. */
function needlessMoves(before: readonly Member[], after: readonly Member[]): number {
  const [one, other] = [buildMaglevTable(before), buildMaglevTable(after)];
  const weightsOf = (members: readonly Member[]): Map<string, number> =>
    new Map(members.map(({ server: { name, weight } }) => [name, weight]));
  const [weightsBefore, weightsAfter] = [weightsOf(before), weightsOf(after)];
  const stays = (name: string): boolean => weightsBefore.get(name) === weightsAfter.get(name);
  let moves = 0;
  for (let slot = 0; slot < one.length; slot += 1) {
    const from = before[one[slot] as number]?.server.name ?? "";
    const to = after[other[slot] as number]?.server.name ?? "";
    if (from !== to && stays(from) && stays(to)) moves += 1;
  }
  return moves / one.length;
}

/** The pseudocode of the paper: each server's permutation of all slots, and turns at them. */
function asInThePaper(members: readonly Member[], size: number): number[] {
  const permutations = members.map(({ hashes: [first, second] }) => {
    const offset = first % size;
    const skip = (second % (size - 1)) + 1;
    return Array.from({ length: size }, (_, index) => (offset + index * skip) % size);
  });
  const next = members.map(() => 0);
  const entry = new Array<number>(size).fill(-1);
  for (let filled = 0; ; )
    for (const [index, permutation] of permutations.entries()) {
      let slot = permutation[next[index] as number] as number;
      while ((entry[slot] as number) >= 0) {
        next[index] = (next[index] as number) + 1;
        slot = permutation[next[index]] as number;
      }
      entry[slot] = index;
      next[index] = (next[index] as number) + 1;
      filled += 1;
      if (filled === size) return entry;
    }
}

describe("a table of Maglev", () => {
  it.each([1, 2, 5, 13])("of %d servers is the one of the paper", (count) => {
    const members = membersOf(new Array<number>(count).fill(7));
    const table = buildMaglevTable(members);
    expect([...table]).toEqual(asInThePaper(members, table.length));
  });

  it.each([1, 2, 3, 10, 160, 161, 1000])(
    "gives %d servers of equal weight equally many slots, but for one",
    (count) => {
      const counts = slotsOfEach(buildMaglevTable(membersOf(new Array<number>(count).fill(1))), count);
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    },
  );

  it("gives servers slots by their weights, to within what the others' last turns are worth", () => {
    const weights = fc.array(fc.integer({ min: 1, max: 256 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(weights, (some) => {
        const table = buildMaglevTable(membersOf(some));
        const sum = some.reduce((total, weight) => total + weight, 0);
        for (const [index, count] of slotsOfEach(table, some.length).entries()) {
          const part = (some[index] as number) / sum;
          // A server is a turn behind at most; so are all others, and what they lack is shared out.
          expect(Math.abs(count - table.length * part)).toBeLessThanOrEqual(1 + part * some.length);
        }
      }),
      { seed: runSeed(), numRuns: 30 },
    );
  });

  it("has the size of a prime, of which small farms have the smaller", () => {
    for (const [count, size] of [
      [1, 16_381],
      [160, 16_381],
      [161, 65_537],
    ] as const) {
      const { length } = buildMaglevTable(membersOf(new Array<number>(count).fill(1)));
      expect(length).toBe(size);
      for (let divisor = 2; divisor * divisor <= length; divisor += 1) expect(length % divisor).not.toBe(0);
    }
  });

  it.each([
    ["one of 4 goes", [1, 1, 1, 1], [1, 1, 1, 0]],
    ["one of 10 goes", new Array<number>(10).fill(1), [...new Array<number>(9).fill(1), 0]],
    ["one of 100 goes", new Array<number>(100).fill(1), [...new Array<number>(99).fill(1), 0]],
    ["one of 1000 goes", new Array<number>(1000).fill(1), [...new Array<number>(999).fill(1), 0]],
    ["a weight is halved", [4, 4, 4, 4], [4, 4, 4, 2]],
    ["a weight becomes the largest", [4, 4, 4, 4], [4, 4, 4, 5]],
    ["a weight of many changes a little", new Array<number>(50).fill(100), [...new Array<number>(49).fill(100), 99]],
  ])("keeps nearly all that need not move when %s", (_what, before, after) => {
    const members = membersOf(after.map((weight) => Math.max(weight, 1)));
    const kept = members.flatMap((member, index) => {
      const weight = after[index] as number;
      return weight === 0 ? [] : [{ ...member, server: { ...member.server, weight } }];
    });
    // Maglev trades a little of this for evenness: with 100 slots a server or more, fewer than 2 in 100 move for nothing.
    expect(needlessMoves(membersOf(before), kept)).toBeLessThan(0.02);
  });
});
