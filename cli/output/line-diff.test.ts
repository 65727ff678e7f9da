import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { changedWithParents, diffLines } from "./line-diff.ts";

const seed = Number(process.env["SWITCHYARD_TEST_SEED"]);
const shown = (before: string[], after: string[]): string[] =>
  changedWithParents(diffLines(before, after)).map(({ mark, text }) => mark + text);

describe("the lines that differ", () => {
  const cases: readonly (readonly [string, string[], string[], string[]])[] = [
    ["are none where nothing does", ["a: 1"], ["a: 1"], []],
    ["are all of them where all is new", [], ["a: 1", "b: 2"], ["+a: 1", "+b: 2"]],
    ["show the old line before the new", ["a: 1", "b: 2"], ["a: 1", "b: 3"], ["-b: 2", "+b: 3"]],
    [
      "stand below the fields that they are inside of, and no others",
      ["m:", "  n:", "    - a", "    - b", "  o: 1", "z: 1"],
      ["m:", "  n:", "    - a", "    - c", "  o: 1", "z: 1"],
      [" m:", "   n:", "-    - b", "+    - c"],
    ],
    ["keep what is common between two changes apart", ["a", "b", "c"], ["x", "b", "y"], ["-a", "+x", "-c", "+y"]],
  ];
  it.each(cases)("%s", (_, before, after, lines) => {
    expect(shown(before, after)).toEqual(lines);
  });

  it("make the one text of the other, and the other of the one", () => {
    const lines = fc.array(fc.constantFrom("a", "b", "c", "  d"), { maxLength: 12 });
    fc.assert(
      fc.property(lines, lines, (before, after) => {
        const diff = diffLines(before, after);
        expect(diff.filter(({ mark }) => mark !== "+").map(({ text }) => text)).toEqual(before);
        expect(diff.filter(({ mark }) => mark !== "-").map(({ text }) => text)).toEqual(after);
      }),
      { seed, numRuns: 500 },
    );
  });

  it("are still right where there are too many to compare each with each", () => {
    const before = Array.from({ length: 2500 }, (_, index) => `a${index}`);
    const after = Array.from({ length: 2500 }, (_, index) => `b${index}`);
    const diff = diffLines(before, after);
    expect(diff.slice(0, 2500).every(({ mark }) => mark === "-")).toBe(true);
    expect(diff.slice(2500).every(({ mark }) => mark === "+")).toBe(true);
  });
});
