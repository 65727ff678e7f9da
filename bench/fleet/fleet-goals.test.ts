import { describe, expect, it } from "vitest";
import type { Figures } from "../compare/measure.ts";
import { judgeFleetGoals } from "./fleet-goals.ts";
import { type FleetMeasureName, quickSizes } from "./fleet-measure.ts";

const sizes = quickSizes(1);

function verdicts(measure: FleetMeasureName, medians: Figures): readonly string[] {
  const rows = judgeFleetGoals({ [measure]: { rounds: [], failures: 0, medians } }, {}, sizes);
  return rows.filter(({ verdict }) => verdict !== "not measured").map(({ verdict }) => verdict);
}

describe("a goal of the fleet", () => {
  it.each([
    ["fanout", { p50Ms: 50, p99Ms: 150 }, ["met", "met"]],
    ["fanout", { p50Ms: 50.1, p99Ms: 150.1 }, ["not met", "not met"]],
    ["regions", { p99Ms: 100 }, ["met"]],
    ["regions", { p99Ms: 101 }, ["not met"]],
    ["restart", { currentMs: 3000 }, ["met"]],
    ["restart", { currentMs: 3001 }, ["not met"]],
    ["writers", { commitsPerSecond: 300 }, ["met"]],
    ["writers", { commitsPerSecond: 299 }, ["not met"]],
    ["start", { snapshotMs: 2000, cacheMs: 1000 }, ["met", "met"]],
    ["start", { snapshotMs: 2001, cacheMs: 1001 }, ["not met", "not met"]],
    ["sessions", { cpuShare: 0.3, bytesPerSession: 100_000 }, ["met", "met"]],
    ["sessions", { cpuShare: 0.31, bytesPerSession: 100_001 }, ["not met", "not met"]],
    ["simulation", { digestsEqual: 10_000 }, ["met"]],
    ["simulation", { digestsEqual: 9999 }, ["not met"]],
  ] as const)("of %s with %j is %j", (measure, medians, expected) => {
    expect(verdicts(measure, medians)).toEqual(expected);
  });

  it("is not met by what was not measured, and says why it was not", () => {
    const rows = judgeFleetGoals({}, { regions: "nats-server is not installed" }, sizes);
    expect(new Set(rows.map(({ verdict }) => verdict))).toEqual(new Set(["not measured"]));
    expect(rows.map(({ note }) => note)).toContain("nats-server is not installed");
    expect(verdicts("fanout", { p50Ms: Number.NaN })).toEqual([]);
  });
});
