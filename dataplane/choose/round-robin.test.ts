import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Server } from "../../model/resource.ts";
import { written } from "../../test/support/arbitrary-resource.ts";
import { runSeed } from "../../test/support/seeded-random.ts";
import { RoundRobin } from "./round-robin.ts";

type Weights = Readonly<Record<string, number>>;

function serversOf(weights: Weights): Server[] {
  return Object.entries(weights).map(
    ([id, weight]) => written({ server: { name: `farms/f/servers/${id}`, address: "127.0.0.1:1", weight } }) as Server,
  );
}

function idOf(server: Server | undefined): string {
  return server === undefined ? "none" : server.name.slice("farms/f/servers/".length);
}

function chosen(roundRobin: RoundRobin, servers: readonly Server[], times: number): string[] {
  return Array.from({ length: times }, () => idOf(roundRobin.choose(servers)));
}

function counts(ids: readonly string[]): Record<string, number> {
  const all: Record<string, number> = {};
  for (const id of ids) all[id] = (all[id] ?? 0) + 1;
  return all;
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
const ids = ["a", "b", "c", "d", "e"];
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
    expect(chosen(new RoundRobin(), serversOf(weights), expected.length).join("")).toBe(expected);
  });

  it("of no servers chooses none, and stays where it is", () => {
    const roundRobin = new RoundRobin();
    const servers = serversOf({ a: 5, b: 1, c: 1 });
    const sequence: string[] = [];
    for (let turn = 0; turn < 7; turn += 1) {
      sequence.push(...chosen(roundRobin, servers, 1));
      expect(roundRobin.choose([])).toBeUndefined();
    }
    expect(sequence.join("")).toBe("aabacaa");
  });

  it("gives each server exactly its weight in every full cycle", () => {
    fc.assert(
      fc.property(arbitraryWeights, (weights) => {
        const roundRobin = new RoundRobin();
        const servers = serversOf(weights);
        const cycle = servers.reduce((sum, server) => sum + server.weight, 0);
        for (let round = 0; round < 3; round += 1)
          expect(counts(chosen(roundRobin, servers, cycle))).toEqual({ ...weights });
      }),
      { seed: runSeed(), numRuns: 50 },
    );
  });

  it("goes on where it was when a server's other fields are changed", () => {
    const roundRobin = new RoundRobin();
    const before = serversOf({ a: 5, b: 1, c: 1 });
    const after = before.map((server) => ({ ...server, region: "elsewhere" }));
    expect([...chosen(roundRobin, before, 3), ...chosen(roundRobin, after, 4)].join("")).toBe("aabacaa");
  });

  it("makes no burst of what the others were due when a heavy server leaves, at whatever moment", () => {
    const all = serversOf({ heavy: 256, a: 1, b: 1 });
    const rest = all.slice(1);
    for (let moment = 0; moment < 2 * 258; moment += 1) {
      const roundRobin = new RoundRobin();
      chosen(roundRobin, all, moment);
      expect(longestRun(chosen(roundRobin, rest, 20)), `after ${moment} connections`).toBeLessThanOrEqual(3);
    }
  });

  it("makes no burst when weights are lowered, at whatever moment", () => {
    for (let moment = 0; moment < 20; moment += 1) {
      const roundRobin = new RoundRobin();
      chosen(roundRobin, serversOf({ a: 256, b: 256 }), moment);
      expect(longestRun(chosen(roundRobin, serversOf({ a: 1, b: 1 }), 20))).toBeLessThanOrEqual(2);
    }
  });

  it("is fair again at once after any changes of weights, any servers gone, and any that come back", () => {
    const change = fc.record({ weights: arbitraryWeights, forgotten: fc.constantFrom(...ids), times: fc.nat(40) });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 8 }), arbitraryWeights, (changes, weights) => {
        const roundRobin = new RoundRobin();
        for (const { weights: meanwhile, forgotten, times } of changes) {
          chosen(roundRobin, serversOf(meanwhile), times);
          roundRobin.forget(`farms/f/servers/${forgotten}`);
        }
        const servers = serversOf(weights);
        const total = servers.reduce((sum, server) => sum + server.weight, 0);
        const sequence = chosen(roundRobin, servers, total);
        const unfair: string[] = [];
        for (const server of servers) {
          let count = 0;
          for (const [index, id] of sequence.entries()) {
            if (id === idOf(server)) count += 1;
            // Of five servers none is ever owed, or has had in advance, three connections; so it is at either end.
            const ahead = count - ((index + 1) * server.weight) / total;
            if (Math.abs(ahead) >= 6) unfair.push(`${server.name} is ${ahead} ahead after ${index + 1}`);
          }
        }
        expect(unfair).toEqual([]);
      }),
      { seed: runSeed(), numRuns: 50 },
    );
  });

  it("begins anew with a server that was forgotten", () => {
    const roundRobin = new RoundRobin();
    const servers = serversOf({ a: 1, b: 1 });
    expect(chosen(roundRobin, servers, 1)).toEqual(["a"]);
    roundRobin.forget("farms/f/servers/a");
    roundRobin.forget("farms/f/servers/b");
    expect(chosen(roundRobin, servers, 1)).toEqual(["a"]);
  });
});
