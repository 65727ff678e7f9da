import { describe, expect, test } from "vitest";
import type { GoalRow } from "./goal-row.ts";
import { judgeGoals } from "./goals.ts";
import type { Figures, MeasureName } from "./measure.ts";
import type { Results, TargetResults } from "./results.ts";

function measures(of: Partial<Record<MeasureName, Record<string, Figures>>>): Results["measures"] {
  const entries = Object.entries(of).map(([measure, targets]) => {
    const results = Object.entries(targets).map(([target, medians]): [string, TargetResults] => [
      target,
      { rounds: [], failures: 0, medians },
    ]);
    return [measure, Object.fromEntries(results)];
  });
  return Object.fromEntries(entries) as Results["measures"];
}

function row(of: Results["measures"], measure: string): GoalRow {
  const found = judgeGoals(of).find((one) => one.measure === measure);
  if (found === undefined) throw new Error(`no row ${measure}`);
  return found;
}

const cpu = "CPU per short connection, affinity on";
const rate = "connections a second on one core";
const idle = "resident memory per idle pair";

describe("a goal", () => {
  test.each<[ours: number, haproxy: number, verdict: string]>([
    [85, 100, "met"],
    [85.1, 100, "not met"],
    [40, 100, "met"],
  ])("at most a ratio: %d against %d is %s", (ours, haproxy, verdict) => {
    const of = measures({
      rate: { switchyard: { cpuUsPerConnection: ours }, haproxy: { cpuUsPerConnection: haproxy } },
    });
    expect(row(of, cpu).verdict).toBe(verdict);
    expect(row(of, cpu).ratio).toBeCloseTo(ours / haproxy);
  });

  test("at least a ratio is held against the best peer, not the first", () => {
    const of = measures({
      rate: {
        switchyard: { connectionsPerSecond: 115 },
        haproxy: { connectionsPerSecond: 50 },
        nginx: { connectionsPerSecond: 101 },
      },
    });
    expect(row(of, rate)).toMatchObject({ verdict: "not met", against: "nginx 101/s" });
  });

  test.each<[bytes: number, verdict: string]>([
    [1024, "met"],
    [1025, "not met"],
    [-12, "met"],
  ])("that is absolute needs no peer: %d bytes are %s", (bytesPerConnection, verdict) => {
    expect(row(measures({ idle: { switchyard: { bytesPerConnection } } }), idle).verdict).toBe(verdict);
  });

  test.each<{ of: string; given: Results["measures"] }>([
    { of: "Switchyard is missing", given: measures({ rate: { haproxy: { cpuUsPerConnection: 1 } } }) },
    { of: "the peer is missing", given: measures({ rate: { switchyard: { cpuUsPerConnection: 1 } } }) },
    {
      of: "the peer's figure is zero",
      given: measures({ rate: { switchyard: { cpuUsPerConnection: 1 }, haproxy: { cpuUsPerConnection: 0 } } }),
    },
    {
      of: "the peer's rounds failed",
      given: {
        rate: {
          switchyard: { rounds: [], failures: 0, medians: { cpuUsPerConnection: 1 } },
          haproxy: { rounds: [], failures: 5 },
        },
      },
    },
  ])("is not measured, and so not met, where $of", ({ given }) => {
    expect(row(given, cpu).verdict).toBe("not measured");
  });

  test("is judged by the native engine where both ran", () => {
    const of = measures({
      idle: { "switchyard-portable": { bytesPerConnection: 1 }, switchyard: { bytesPerConnection: 9999 } },
    });
    expect(row(of, idle)).toMatchObject({ verdict: "not met", note: "" });
  });

  test("that only the portable engine was measured for says so", () => {
    const of = measures({ idle: { "switchyard-portable": { bytesPerConnection: 1 } } });
    expect(row(of, idle).note).toBe("portable engine");
  });

  test.each([
    { proxyBusy: 0.97, othersOnCore: 0.02, note: "" },
    { proxyBusy: 0.6, othersOnCore: 0.02, note: "the generator was the limit: the proxy's core 60% busy" },
    { proxyBusy: 0.6, othersOnCore: 0.4, note: "others had 40% of the proxy's core" },
  ])("of speed says what held the proxy back: $note", ({ proxyBusy, othersOnCore, note }) => {
    const switchyard = { connectionsPerSecond: 1, proxyBusy, othersOnCore };
    const of = measures({ rate: { switchyard, haproxy: { connectionsPerSecond: 1 } } });
    expect(row(of, rate).note).toBe(note);
  });

  test.each([
    { generatorApart: 1, timesOne: 1.8, verdict: "met" },
    { generatorApart: 1, timesOne: 1.6, verdict: "not met" },
    { generatorApart: 0, timesOne: 1.8, verdict: "not measured" },
  ])("is not met by an estimate: $timesOne, generator apart $generatorApart", ({ verdict, ...figures }) => {
    const found = row(measures({ scaling: { switchyard: figures } }), "two engine threads on two cores");
    expect(found).toMatchObject({ verdict, ours: figures.timesOne.toFixed(2) });
  });
});
