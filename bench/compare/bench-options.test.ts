import { describe, expect, test } from "vitest";
import { allMeasures, parseBenchOptions } from "./bench-options.ts";

describe("the command line", () => {
  test("asks for everything, in full, where it says nothing", () => {
    expect(parseBenchOptions([])).toMatchObject({ mode: "full", measures: allMeasures, targets: undefined });
  });

  test("takes at least five rounds in either mode", () => {
    for (const args of [[], ["--quick"]]) expect(parseBenchOptions(args).sizes.rounds).toBeGreaterThanOrEqual(5);
  });

  test("narrows measures, targets and rounds", () => {
    const args = ["--quick", "--rounds", "1", "--measures", "rate,counts", "--targets", "nginx,direct"];
    const options = parseBenchOptions(args);
    expect(options.sizes.rounds).toBe(1);
    expect(options.measures).toEqual(["rate", "counts"]);
    expect(options.targets).toEqual(["nginx", "direct"]);
  });

  test.each([
    { args: ["--rounds", "0"], says: "--rounds: 0 is not a number from 1" },
    { args: ["--rounds", "2.5"], says: "--rounds: 2.5 is not" },
    { args: ["--rounds", "many"], says: "--rounds: many is not" },
    { args: ["--measures", "speed"], says: "there is no speed" },
    { args: ["--fast"], says: "--fast" },
    { args: ["stray"], says: "stray" },
  ])("refuses $args", ({ args, says }) => {
    expect(() => parseBenchOptions(args)).toThrow(says);
  });
});
