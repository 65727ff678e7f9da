import { describe, expect, it } from "vitest";
import { allFleetMeasures, parseFleetOptions } from "./fleet-options.ts";

const newSeed = 77;

describe("the command line of the fleet's bench", () => {
  it("takes everything where nothing is said", () => {
    const options = parseFleetOptions([], newSeed);
    expect(options).toMatchObject({ mode: "full", measures: allFleetMeasures, help: false });
    expect(options.sizes).toMatchObject({ seed: newSeed, followers: 1000, routes: 100_000 });
  });

  it("asks for the numbers of the goals in a quick run too", () => {
    const { mode, sizes } = parseFleetOptions(["--quick"], newSeed);
    expect(mode).toBe("quick");
    expect(sizes).toMatchObject({ simulatedNodes: 10_000, sessions: 1000, followers: 1000, followersPerRegion: 100 });
    expect(sizes.fanoutCommits).toBeGreaterThanOrEqual(100);
  });

  it("takes what is said", () => {
    const args = ["--measures", "start,fanout", "--rounds", "2", "--seed", "5", "--out", "/tmp/x"];
    const options = parseFleetOptions(args, newSeed);
    expect(options).toMatchObject({ measures: ["start", "fanout"], outputDirectory: "/tmp/x" });
    expect(options.sizes.seed).toBe(5);
    expect(Object.values(options.sizes.rounds)).toEqual(allFleetMeasures.map(() => 2));
  });

  it.each([
    [["--measures", "fanout,speed"], "--measures: there is no speed"],
    [["--measures", ""], "--measures: there is no "],
    [["--rounds", "0"], "--rounds: 0 is not"],
    [["--rounds", "1e1"], "--rounds: 1e1 is not"],
    [["--rounds", "21"], "--rounds: 21 is not"],
    [["--seed=-1"], "--seed: -1 is not"],
    [["--seed", "x"], "--seed: x is not"],
    [["--fast"], "--fast"],
  ])("refuses %j", (args, says) => {
    expect(() => parseFleetOptions(args, newSeed)).toThrow(says);
  });
});
