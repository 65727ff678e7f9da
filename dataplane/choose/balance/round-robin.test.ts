import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ChoosingFarm, countEach } from "../../../test/support/choosing-farm.ts";
import { runSeed } from "../../../test/support/seeded-random.ts";

const ids = ["a", "b", "c", "d", "e"] as const;
type Weights = Readonly<Record<string, number>>;

/** A farm of all that there may be: those without a weight take part no longer, or not yet. */
function farmOf(weights: Weights): ChoosingFarm {
  const farm = new ChoosingFarm({ balance: "round_robin" });
  weigh(farm, weights);
  return farm;
}

function weigh(farm: ChoosingFarm, weights: Weights): void {
  for (const id of ids) farm.put(id, { weight: weights[id] ?? 0 });
}

function longestRun(ids: readonly string[]): number {
  let longest = 0;
  let run = 0;
  for (const [index, id] of ids.entries()) {
    run = id === ids[index - 1] ? run + 1 : 1;
    longest = Math.max(longest, run);
  }
  return longest;
}

const weight = fc.integer({ min: 1, max: 256 });
const arbitraryWeights = fc
  .uniqueArray(fc.constantFrom(...ids), { minLength: 1 })
  .chain((some) => fc.tuple(...some.map((id) => weight.map((value) => [id, value] as const))))
  .map((entries) => Object.fromEntries(entries) as Weights);

describe("round robin", () => {
  it.each([
    [{ a: 5, b: 1, c: 1 }, "aabacaa aabacaa"],
    [{ a: 1, b: 1, c: 1 }, "abc abc abc"],
    [{ a: 3, b: 1 }, "aaba aaba"],
    [{ a: 2, b: 1 }, "aba aba"],
    [{ a: 256 }, "aaa"],
  ] as const)("of weights %j comes as %s", (weights, sequence) => {
    const expected = sequence.replaceAll(" ", "");
    expect(farmOf(weights).several(expected.length).join("")).toBe(expected);
  });

  it("of no servers chooses none, and stays where it is", () => {
    const farm = farmOf({ a: 5, b: 1, c: 1 });
    const sequence: string[] = [];
    for (let turn = 0; turn < 7; turn += 1) {
      sequence.push(farm.choose());
      expect(farm.choose({ tried: ids })).toBe("no_server");
    }
    expect(sequence.join("")).toBe("aabacaa");
  });

  it("gives each server exactly its weight in every full cycle", () => {
    fc.assert(
      fc.property(arbitraryWeights, (weights) => {
        const farm = farmOf(weights);
        const cycle = Object.values(weights).reduce((sum, each) => sum + each, 0);
        for (let round = 0; round < 3; round += 1) expect(countEach(farm.several(cycle))).toEqual({ ...weights });
      }),
      { seed: runSeed(), numRuns: 50 },
    );
  });

  it("goes on where it was when a server's other fields are changed", () => {
    const farm = farmOf({ a: 5, b: 1, c: 1 });
    const before = farm.several(3);
    for (const id of ["a", "b", "c"]) farm.put(id, { region: "elsewhere" });
    expect([...before, ...farm.several(4)].join("")).toBe("aabacaa");
  });

  it("makes no burst of what the others were due when a heavy server leaves, at whatever moment", () => {
    for (let moment = 0; moment < 2 * 258; moment += 1) {
      const farm = farmOf({ a: 256, b: 1, c: 1 });
      farm.several(moment);
      farm.remove("a");
      expect(longestRun(farm.several(20)), `after ${moment} connections`).toBeLessThanOrEqual(3);
    }
  });

  it("makes no burst when weights are lowered, at whatever moment", () => {
    for (let moment = 0; moment < 20; moment += 1) {
      const farm = farmOf({ a: 256, b: 256 });
      farm.several(moment);
      weigh(farm, { a: 1, b: 1 });
      expect(longestRun(farm.several(20))).toBeLessThanOrEqual(2);
    }
  });

  it("is fair again at once after any changes of weights, any servers gone, and any that come back", () => {
    const change = fc.record({ weights: arbitraryWeights, forgotten: fc.constantFrom(...ids), times: fc.nat(40) });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 8 }), arbitraryWeights, (changes, weights) => {
        const farm = farmOf({});
        for (const { weights: meanwhile, forgotten, times } of changes) {
          weigh(farm, meanwhile);
          farm.several(times);
          farm.remove(forgotten);
        }
        weigh(farm, weights);
        const total = Object.values(weights).reduce((sum, each) => sum + each, 0);
        expect(unfairness(farm.several(total), weights, total)).toEqual([]);
      }),
      { seed: runSeed(), numRuns: 50 },
    );
  });

  it("gives a server that starts slowly its share, and the whole when it has it", () => {
    const farm = farmOf({ a: 4, b: 4 }).put("a", {}, { share: 0.25 });
    expect(countEach(farm.several(50))).toEqual({ a: 10, b: 40 });
    farm.put("a", {}, { share: 1 });
    expect(countEach(farm.several(50))).toEqual({ a: 25, b: 25 });
  });

  it("begins anew with a server that was forgotten", () => {
    const farm = farmOf({ a: 1, b: 1 });
    expect(farm.several(1)).toEqual(["a"]);
    for (const id of ["a", "b"]) farm.remove(id);
    weigh(farm, { a: 1, b: 1 });
    expect(farm.several(1)).toEqual(["a"]);
  });
});

/** Where a server had too much or too little on the way, in words. */
function unfairness(sequence: readonly string[], weights: Weights, total: number): string[] {
  const unfair: string[] = [];
  for (const [id, weight] of Object.entries(weights)) {
    let count = 0;
    for (const [index, chosen] of sequence.entries()) {
      if (chosen === id) count += 1;
      // Of five servers none is ever owed, or has had in advance, three connections; so it is at either end.
      const ahead = count - ((index + 1) * weight) / total;
      if (Math.abs(ahead) >= 6) unfair.push(`${id} is ${ahead} ahead after ${index + 1}`);
    }
  }
  return unfair;
}
