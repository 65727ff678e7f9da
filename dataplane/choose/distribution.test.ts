import { describe, expect, it } from "vitest";
import { type BalanceName, balanceNames } from "../../model/farm-policy.ts";
import { chiSquaredCritical, deviation } from "../../test/support/chi-squared.ts";
import { type Choosing, ChoosingFarm, clientAddress, countEach } from "../../test/support/choosing-farm.ts";
import { runSeed, seededRandom } from "../../test/support/seeded-random.ts";

/** Those that follow weights whatever the load is; least connections and the power of two have tests of their own. */
const byWeight: readonly BalanceName[] = [
  "round_robin",
  "source_hash",
  "maglev_source",
  "maglev_server_name",
  "random",
];
const samples = 10_000;

/** Many clients, each with its own address and name. */
function sample(farm: ChoosingFarm, request: Choosing = {}): Record<string, number> {
  const random = seededRandom(runSeed() + 1);
  const ids = Array.from({ length: samples }, () => {
    const client = Math.floor(random() * 2 ** 24);
    return farm.choose({ source: clientAddress(client), name: `n${client}.test`, ...request });
  });
  return countEach(ids);
}

/** Weights, or what is left of them, as parts of all. */
function partsOf(weights: Readonly<Record<string, number>>): Record<string, number> {
  const sum = Object.values(weights).reduce((total, weight) => total + weight, 0);
  return Object.fromEntries(Object.entries(weights).map(([id, weight]) => [id, weight / sum]));
}

function expectParts(counts: Record<string, number>, weights: Readonly<Record<string, number>>): void {
  expect(deviation(counts, partsOf(weights))).toBeNull();
}

function farmOf(balance: BalanceName): ChoosingFarm {
  return new ChoosingFarm({ balance }, { seed: runSeed() });
}

it.each([
  [1, 0.05, 3.841_459],
  [3, 1e-4, 21.107_513],
  [10, 0.01, 23.209_251],
  [99, 0.001, 148.230_4],
])(
  "the critical value of chi-squared for %d degrees of freedom and %d is as in tables: %d",
  (degrees, alpha, value) => {
    expect(chiSquaredCritical(degrees, alpha)).toBeCloseTo(value, 3);
  },
);

describe.each(byWeight)("connections that are balanced by %s", (balance) => {
  it("come to servers in proportion to their weights, and not at all to weight 0", () => {
    const farm = farmOf(balance).put("a", { weight: 1 }).put("b", { weight: 2 }).put("c", { weight: 5 });
    expectParts(sample(farm.put("d", { weight: 0 })), { a: 1, b: 2, c: 5 });
  });

  it("come to very many servers, too", () => {
    const farm = farmOf(balance);
    const weights: Record<string, number> = {};
    for (let index = 0; index < 40; index += 1) {
      weights[`s${index}`] = 1 + (index % 3);
      farm.put(`s${index}`, { weight: 1 + (index % 3) });
    }
    expectParts(sample(farm), weights);
  });

  it("come to a server that starts slowly in proportion to its share", () => {
    const farm = farmOf(balance).put("a", { weight: 4 }, { share: 0.1 }).put("b", { weight: 2 }).put("c");
    expectParts(sample(farm), { a: 0.4, b: 2, c: 1 });
  });

  it("come to others in proportion while some fail, are full or were tried", () => {
    const farm = farmOf(balance).put("a", {}, { healthy: false }).put("b", { connectionsMax: 1 }, { connections: 1 });
    farm.put("c").put("d", { weight: 3 }).put("e", { weight: 2 });
    expectParts(sample(farm, { tried: ["c"] }), { d: 3, e: 2 });
  });

  it("come to servers in proportion where nearly none of many is left", () => {
    const farm = farmOf(balance);
    for (let index = 0; index < 60; index += 1) farm.put(`s${index}`, {}, { healthy: index % 20 === 0 });
    expectParts(sample(farm), { s0: 1, s20: 1, s40: 1 });
  });

  it("come to one as often as its weight says after that was changed", () => {
    const farm = farmOf(balance).put("a", { weight: 1 }).put("b", { weight: 256 });
    sample(farm);
    expectParts(sample(farm.put("b", { weight: 3 })), { a: 1, b: 3 });
  });
});

describe("clients of which nothing is known that could be hashed", () => {
  it.each<BalanceName>(["source_hash", "maglev_source", "maglev_server_name"])("are spread by %s", (balance) => {
    const farm = farmOf(balance).put("a").put("b", { weight: 3 });
    expectParts(sample(farm, { source: null, name: "" }), { a: 1, b: 3 });
  });
});

describe("the power of two choices", () => {
  it("among servers of equal load draws both by weight, and the first is chosen", () => {
    const farm = farmOf("power_of_two").put("a").put("b").put("c").put("d", { weight: 0 });
    expectParts(sample(farm), { a: 1, b: 1, c: 1 });
  });

  it("never chooses the most loaded of equal servers, and the others as often as they win", () => {
    const farm = farmOf("power_of_two").put("a", {}, { connections: 3 }).put("b", {}, { connections: 2 });
    farm.put("c", {}, { connections: 1 }).put("d", {}, { connections: 0 });
    // Of the six pairs d wins three, c two, b one.
    expectParts(sample(farm), { b: 1, c: 2, d: 3 });
  });

  it("draws two that are different, however much heavier one of them is", () => {
    const farm = farmOf("power_of_two").put("a", { weight: 256 }, { connections: 1000 }).put("b");
    expect(countEach(farm.several(500))).toEqual({ b: 500 });
  });

  it("draws by what is left of a weight", () => {
    const farm = farmOf("power_of_two").put("a", {}, { share: 0.5 }).put("b", {}, { connections: 9 });
    farm.put("c", {}, { connections: 8, share: 0.25 });
    // c loses to either; so does b to a. a is not drawn at all as b and c, or c and b: 1/1.75 * 0.25/0.75 + 0.25/1.75 * 1/1.5.
    const without = (1 / 1.75) * (0.25 / 0.75) + (0.25 / 1.75) * (1 / 1.5);
    expectParts(sample(farm), { a: 1 - without, b: without });
  });
});

describe("live connections under load", () => {
  it("are far more even by least connections, and by the power of two choices, than by chance", () => {
    const of = {
      chance: fullest("random"),
      turns: fullest("round_robin"),
      two: fullest("power_of_two"),
      least: fullest("least_connections"),
    };
    // Of 10 servers with a mean of 10 the fullest has about 15 by chance (a Poisson maximum).
    expect(of.chance).toBeGreaterThan(13.5);
    expect(of.two).toBeLessThan(of.chance - 2);
    expect(of.least).toBeLessThan(of.two);
    expect(of.least).toBeLessThan(of.turns - 1);
  });
});

/** The mean, over arrivals, of the fullest server's connections: 10 servers, 100 connections at a time, exponential lifetimes. */
function fullest(balance: BalanceName): number {
  const farm = farmOf(balance);
  for (let index = 0; index < 10; index += 1) farm.put(`s${index}`);
  const random = seededRandom(runSeed() + 2);
  const exponential = (): number => -Math.log(1 - random());
  const counts = new Map<string, number>();
  let live: { readonly id: string; readonly endsAt: number }[] = [];
  let now = 0;
  let sum = 0;
  const arrivals = 6000;
  for (let arrival = 0; arrival < arrivals; arrival += 1) {
    now += exponential() / 100;
    live = live.filter(({ id, endsAt }) => {
      if (endsAt > now) return true;
      farm.add(id, -1);
      counts.set(id, (counts.get(id) ?? 0) - 1);
      return false;
    });
    const id = farm.choose();
    farm.add(id, 1);
    counts.set(id, (counts.get(id) ?? 0) + 1);
    live.push({ id, endsAt: now + exponential() });
    if (arrival >= 1000) sum += Math.max(...counts.values());
  }
  return sum / (arrivals - 1000);
}

describe("least connections", () => {
  it("takes servers in turn while all have the same", () => {
    const farm = farmOf("least_connections").put("a").put("b").put("c");
    expect(farm.several(7).join("")).toBe("abcabca");
  });

  it("goes on in turn when another server changes, comes or goes", () => {
    const farm = farmOf("least_connections").put("a").put("b").put("c");
    const sequence = farm.several(2);
    farm.put("a", { region: "elsewhere" }).put("d");
    sequence.push(...farm.several(2));
    farm.remove("d");
    sequence.push(...farm.several(3));
    expect(sequence.join("")).toBe("abcdabc");
  });

  it.each([
    ["the fewer connections", { a: [1, 4], b: [1, 3] }, "b"],
    ["the fewer by weight with this one more", { a: [1, 1], b: [4, 6] }, "b"],
    ["not the one that would then have more by weight", { a: [1, 0], b: [4, 4] }, "a"],
    ["the one of which more is left by its share", { a: [4, 3, 0.25], b: [2, 2] }, "b"],
  ] as const)("chooses %s: %j", (_law, servers, expected) => {
    const farm = farmOf("least_connections");
    for (const [id, [weight, connections, share = 1]] of Object.entries<readonly [number, number, number?]>(servers))
      farm.put(id, { weight }, { connections, share });
    expect(farm.choose()).toBe(expected);
  });

  it("fills servers in proportion to their weights", () => {
    const farm = farmOf("least_connections").put("a", { weight: 1 }).put("b", { weight: 2 }).put("c", { weight: 5 });
    const ids = Array.from({ length: 800 }, () => {
      const id = farm.choose();
      farm.add(id, 1);
      return id;
    });
    expect(countEach(ids)).toEqual({ a: 100, b: 200, c: 500 });
  });
});

it("every way to balance has been thought of here", () => {
  expect([...byWeight, "least_connections", "power_of_two", "first"].sort()).toEqual([...balanceNames].sort());
});
