import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type RolloutWave, selects, selectsAll, takesAllOf, waveOf, waveTitle, wholeFleet } from "./rollout-policy.ts";

const ids = Array.from({ length: 10_000 }, (_, index) => `edge-${index.toString(36)}.eu-west`);
const node = (id: string): { id: string; region: string; labels: Record<string, string> } => ({
  id,
  region: "eu",
  labels: { tier: "edge" },
});
const share = (percent: number): readonly string[] => ids.filter((id) => selects({ ...wholeFleet, percent }, node(id)));

describe("a percentage of the nodes", () => {
  test.each([1, 5, 10, 25, 50, 75, 99])(
    "%i is near its share of 10,000 ids, and has the smaller ones in it",
    (percent) => {
      const taken = share(percent);
      // Six standard deviations of a binomial; the ids are fixed, so that it holds once for all.
      const deviation = Math.sqrt((10_000 * percent * (100 - percent)) / 10_000);
      expect(Math.abs(taken.length - percent * 100)).toBeLessThan(6 * deviation);
      const more = new Set(share(percent + 1));
      expect(taken.every((id) => more.has(id))).toBe(true);
    },
  );

  test("of 100 is all of them", () => {
    expect(share(100)).toHaveLength(10_000);
  });

  test("goes by the first 32 bits of the id's SHA-256, on every node and in every version", () => {
    for (const id of ids.slice(0, 200)) {
      const hundredth = Math.floor((createHash("sha256").update(id).digest().readUInt32BE(0) * 100) / 2 ** 32);
      for (const percent of [hundredth, hundredth + 1])
        if (percent >= 1) expect(selects({ ...wholeFleet, percent }, node(id))).toBe(percent > hundredth);
    }
  });
});

describe("a wave selects a node of region eu with the label tier=edge", () => {
  const cases: readonly (readonly [Partial<RolloutWave>, boolean])[] = [
    [{}, true],
    [{ regions: ["eu"] }, true],
    [{ regions: ["ap", "eu"] }, true],
    [{ regions: ["us"] }, false],
    [{ labels: { tier: "edge" } }, true],
    [{ labels: { tier: "core" } }, false],
    [{ labels: { tier: "edge", rack: "7" } }, false],
    [{ labels: { constructor: "x" } }, false],
    [{ regions: ["us"], labels: { tier: "edge" } }, false],
  ];
  test.each(cases)("by %j: %s", (wave, expected) => {
    expect(selects({ ...wholeFleet, ...wave }, node("a"))).toBe(expected);
  });
});

describe("an earlier wave leaves a later one no node", () => {
  const cases: readonly (readonly [earlier: Partial<RolloutWave>, later: Partial<RolloutWave>, boolean])[] = [
    [{}, {}, true],
    [{}, { regions: ["eu"], labels: { tier: "edge" }, percent: 5 }, true],
    [{ percent: 5 }, { percent: 5 }, true],
    [{ percent: 25 }, { percent: 5 }, true],
    [{ percent: 5 }, { percent: 25 }, false],
    [{ regions: ["eu", "us"] }, { regions: ["eu"] }, true],
    [{ regions: ["eu"] }, { regions: ["eu", "us"] }, false],
    [{ regions: ["eu"] }, {}, false],
    [{ labels: { tier: "edge" } }, { labels: { tier: "edge", rack: "7" } }, true],
    [{ labels: { tier: "edge" } }, { labels: { tier: "core" } }, false],
    [{ labels: { tier: "edge" } }, {}, false],
  ];
  test.each(cases)("%j, %j: %s", (earlier, later, expected) => {
    expect(takesAllOf({ ...wholeFleet, ...earlier }, { ...wholeFleet, ...later })).toBe(expected);
  });

  test("and then no node is of the later one", () => {
    const wave = fc.record({
      title: fc.constant(""),
      regions: fc.subarray(["ap", "eu", "us"]),
      labels: fc.constantFrom({}, { tier: "edge" }, { tier: "core" }, { tier: "edge", rack: "7" }),
      percent: fc.constantFrom(1, 30, 60, 100),
      bakeTimeMs: fc.constant(0),
    });
    fc.assert(
      fc.property(wave, wave, (earlier, later) => {
        fc.pre(takesAllOf(earlier, later));
        for (const region of ["", "ap", "eu", "us"])
          for (const labels of [{}, { tier: "edge" }, { tier: "core" }, { tier: "edge", rack: "7" }])
            if (ids.slice(0, 8).some((id) => waveOf([earlier, later], { id, region, labels }) === 1))
              throw new Error(`a node of ${region} is left, with ${JSON.stringify(labels)}`);
      }),
    );
  });
});

test("a node belongs to the first wave that takes it, and to none where none does", () => {
  const waves = [{ ...wholeFleet, regions: ["us"] }, { ...wholeFleet, labels: { tier: "edge" } }, wholeFleet];
  expect(waveOf(waves, node("a"))).toBe(1);
  expect(waveOf(waves.slice(0, 1), node("a"))).toBeUndefined();
});

test("only a wave without any condition takes every node that there may be", () => {
  expect(selectsAll(wholeFleet)).toBe(true);
  for (const part of [{ regions: ["eu"] }, { labels: { tier: "edge" } }, { percent: 99 }])
    expect(selectsAll({ ...wholeFleet, ...part })).toBe(false);
});

test("a wave without a title is called by its place", () => {
  expect([waveTitle(wholeFleet, 0), waveTitle({ ...wholeFleet, title: "canary" }, 1)]).toEqual(["wave 1", "canary"]);
});
