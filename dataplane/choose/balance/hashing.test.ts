import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ipBytes } from "../../../model/address.ts";
import type { BalanceName } from "../../../model/farm-policy.ts";
import type { Farm } from "../../../model/resource.ts";
import { ChoosingFarm, clientAddress, countEach } from "../../../test/support/choosing-farm.ts";
import { runSeed } from "../../../test/support/seeded-random.ts";
import { bitsHash, keyOfDraw, pairUnit, textHash } from "./key-hash.ts";

const hashes: readonly BalanceName[] = ["source_hash", "maglev_source", "maglev_server_name"];
const ids = ["a", "b", "c", "d", "e", "f"] as const;
type Weights = Readonly<Record<string, number>>;

function farmOf(policy: Partial<Farm>, weights: Weights): ChoosingFarm {
  const farm = new ChoosingFarm(policy);
  for (const [id, weight] of Object.entries(weights)) farm.put(id, { weight });
  return farm;
}

/** Where each of many clients comes to. */
function placesOf(farm: ChoosingFarm, clients: number): string[] {
  return Array.from({ length: clients }, (_, index) =>
    farm.choose({ source: clientAddress(index), name: `n${index}.test` }),
  );
}

/** The moves that a change made, as `from>to`. */
function movesOf(farm: ChoosingFarm, clients: number, change: () => void): string[] {
  const before = placesOf(farm, clients);
  change();
  const after = placesOf(farm, clients);
  return before.flatMap((from, index) => (from === after[index] ? [] : [`${from}>${after[index]}`]));
}

const weights: fc.Arbitrary<Weights> = fc
  .tuple(...ids.map((id) => fc.tuple(fc.constant(id), fc.integer({ min: 1, max: 256 }))))
  .map((entries) => Object.fromEntries(entries));
const change = fc.tuple(weights, fc.constantFrom(...ids), fc.integer({ min: 0, max: 256 }));
const runs = { seed: runSeed(), numRuns: 40 };

describe("the hashes that clients are spread by", () => {
  it("are those of every other node, in every version", () => {
    expect(bitsHash(Uint8Array.of(192, 0, 2, 1), 32)).toBe(2_263_834_204);
    expect(bitsHash(ipBytes("2001:db8:1:200::7") as Uint8Array, 56)).toBe(2_868_214_202);
    expect(textHash("/servers/web-1", 7)).toBe(904_455_223);
    expect(pairUnit(1, 2, 3)).toBe(0.07211511174682528);
    expect([keyOfDraw(9, 0), keyOfDraw(9, 1)]).toEqual([9, 2_527_132_011]);
  });

  it.each([
    ["192.0.2.1", "192.0.2.254", 24, true],
    ["192.0.2.1", "192.0.3.1", 24, false],
    ["192.0.2.1", "192.0.2.2", 32, false],
    ["192.0.2.4", "192.0.2.7", 30, true],
    ["192.0.2.4", "192.0.2.8", 30, false],
    ["192.0.2.0", "192.0.2.4", 30, false],
    ["192.0.2.0", "192.0.2.128", 25, false],
    ["2001:db8:0:100::1", "2001:db8:0:1ff:ffff::2", 56, true],
    ["2001:db8:0:100::1", "2001:db8:0:200::1", 56, false],
    ["2001:db8::", "2001:db8::1", 127, true],
    ["2001:db8::", "2001:db8::1", 128, false],
  ])("of %s and %s, /%d, are the same: %s", (one, other, bits, same) => {
    const hash = (text: string): number => bitsHash(ipBytes(text) as Uint8Array, bits);
    expect(hash(one) === hash(other)).toBe(same);
  });

  it("take an IPv4 address in IPv6 form for what it is", () => {
    const farm = farmOf({ balance: "source_hash" }, { a: 1, b: 1, c: 1, d: 1 });
    for (let index = 0; index < 50; index += 1) {
      const plain = clientAddress(index);
      const mapped = Uint8Array.from([...new Uint8Array(10), 0xff, 0xff, ...plain]);
      expect(farm.choose({ source: mapped })).toBe(farm.choose({ source: plain }));
    }
  });

  it("are of the farm's prefix", () => {
    const affinity = { ...farmOf({}, {}).routing.farm("farms/f")?.farm.affinity, sourcePrefixV4: 16 };
    const farm = farmOf({ balance: "source_hash", affinity: affinity as Farm["affinity"] }, { a: 1, b: 1, c: 1, d: 1 });
    expect(new Set(placesOf(farm, 50)).size).toBe(1);
    expect(new Set(placesOf(farmOf({ balance: "source_hash" }, { a: 1, b: 1, c: 1, d: 1 }), 50)).size).toBe(4);
  });
});

describe.each(hashes)("a client that is hashed by %s", (balance) => {
  it("comes to the same server by every node, whatever came first there", () => {
    const one = farmOf({ balance }, { a: 3, b: 1, c: 2 });
    const other = farmOf({ balance }, { c: 9, x: 5, b: 1, a: 3 });
    other.several(3, { source: "192.0.2.1", name: "before.test" });
    other.put("c", { weight: 2 }).remove("x");
    expect(placesOf(other, 500)).toEqual(placesOf(one, 500));
  });

  it("leaves a server that fails, has no address or is full, comes back afterwards, and no other client moves", () => {
    const farm = farmOf({ balance }, { a: 3, b: 1, c: 2, d: 1 });
    const before = placesOf(farm, 1000);
    for (const condition of [{ healthy: false }, { reachable: false }, { connections: 1 }]) {
      const moves = movesOf(farm, 1000, () => farm.put("a", { connectionsMax: 1 }, condition));
      expect(moves.length).toBe(countEach(before)["a"]);
      expect(new Set(moves)).toEqual(new Set(["a>b", "a>c", "a>d"]));
      farm.put("a", {}, { healthy: true, reachable: true, connections: 0 });
      expect(placesOf(farm, 1000)).toEqual(before);
    }
  });

  it("moves only to a server whose share grows while it starts", () => {
    const farm = farmOf({ balance }, { a: 3, b: 2, c: 1 }).put("a", {}, { share: 0.1 });
    for (const share of [0.3, 0.6, 1]) {
      const moves = movesOf(farm, 1000, () => farm.put("a", {}, { share }));
      expect(new Set(moves)).toEqual(new Set(["b>a", "c>a"]));
    }
  });
});

describe("rendezvous hashing", () => {
  it("moves nobody but to and from the server whose weight changes, or which comes or goes", () => {
    fc.assert(
      fc.property(change, ([before, id, weight]) => {
        const farm = farmOf({ balance: "source_hash" }, before);
        const moves = movesOf(farm, 300, () => farm.put(id, { weight }));
        const grows = weight > (before[id] ?? 0);
        for (const move of moves) expect(move.split(">").indexOf(id), `${id}: ${move}`).toBe(grows ? 1 : 0);
        // All of a server that takes nothing more have gone; else no more than had to.
        if (weight === 0) expect(placesOf(farm, 300)).not.toContain(id);
      }),
      runs,
    );
  });
});

describe("a bound on the load of hashes", () => {
  it.each(hashes)("is never exceeded by %s, and nobody is refused", (balance) => {
    const factors = fc.constantFrom(101, 125, 200, 1000);
    const clients = fc.array(fc.nat(5), { minLength: 1, maxLength: 120 });
    fc.assert(
      fc.property(weights, factors, clients, (some, hashBalanceFactor, sequence) => {
        const farm = farmOf({ balance, hashBalanceFactor }, some);
        const sum = Object.values(some).reduce((total, weight) => total + weight, 0);
        const counts: Record<string, number> = {};
        for (const [before, client] of sequence.entries()) {
          const id = farm.choose({ source: clientAddress(client), name: `n${client}.test` });
          farm.add(id, 1);
          counts[id] = (counts[id] ?? 0) + 1;
          const bound = Math.ceil(((hashBalanceFactor / 100) * (some[id] ?? 0) * (before + 1)) / sum - 1e-9);
          expect(counts[id]).toBeLessThanOrEqual(bound);
        }
      }),
      runs,
    );
  });

  it.each(hashes)("leaves clients of %s at their own servers while those are below it", (balance) => {
    const weighed = { a: 3, b: 1, c: 2 };
    const free = farmOf({ balance }, weighed);
    const bounded = farmOf({ balance, hashBalanceFactor: 150 }, weighed);
    for (const id of ["a", "b", "c"]) for (const farm of [free, bounded]) farm.add(id, 10);
    // Of 55 in all a may have 41, b 14 and c 28: b is at its bound.
    bounded.add("a", 20);
    bounded.add("b", 4);
    const after = placesOf(bounded, 300);
    const moved = placesOf(free, 300).filter((id, index) => id !== after[index]);
    expect(new Set(moved)).toEqual(new Set(["b"]));
  });

  it("counts those alone that could take the connection", () => {
    const farm = farmOf({ balance: "source_hash", hashBalanceFactor: 101 }, { a: 1, b: 1, c: 1 });
    farm.put("c", {}, { healthy: false, connections: 1000 });
    const chosen = placesOf(farm, 100).map((_, index) => {
      const id = farm.choose({ source: clientAddress(index) });
      farm.add(id, 1);
      return id;
    });
    expect(Math.abs((countEach(chosen)["a"] ?? 0) - 50)).toBeLessThanOrEqual(1);
  });
});
