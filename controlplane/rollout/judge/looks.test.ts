import { expect, test } from "vitest";
import type { RatioGate } from "../../../model/rollout-policy.ts";
import { runSeed, seededRandom } from "../../../test/support/seeded-random.ts";
import { isTimeToLook, type Looks, noLooks, significanceAt } from "./looks.ts";
import { judgeRatio } from "./ratio-gate.ts";
import type { Proportion } from "./two-proportions.ts";

test.each([
  [{ taken: 0, lastSample: 0, found: null }, 500, false, true],
  [{ taken: 1, lastSample: 500, found: null }, 624, false, false],
  [{ taken: 1, lastSample: 500, found: null }, 625, false, true],
  [{ taken: 1, lastSample: 500, found: null }, 501, true, true],
  [{ taken: 1, lastSample: 500, found: null }, 500, true, false],
])("after %j at %d events (the last: %j) it is time to look: %j", (looks: Looks, sample, last, isTime) => {
  expect(isTimeToLook(looks, sample, last)).toBe(isTime);
});

test("all looks together spend less than the significance", () => {
  let spent = 0;
  for (let look = 1; look <= 10_000; look += 1) spent += significanceAt(look, 0.001);
  expect(spent).toBeLessThan(0.001);
  expect(spent).toBeGreaterThan(0.0009);
});

interface Side {
  readonly perTick: number;
  readonly rate: number;
}

const before: Proportion = { events: 0, of: 0 };

/** Events on released nodes until the gate fails; undefined where it does not within the bake. */
function samplesUntilFailed(
  policy: RatioGate,
  released: Side,
  control: Side,
  ticks: number,
  random: () => number,
): number | undefined {
  let looks = noLooks;
  const counts = { released: { events: 0, of: 0 }, control: { events: 0, of: 0 } };
  for (let tick = 1; tick <= ticks; tick += 1) {
    counts.released.of += released.perTick;
    counts.released.events += binomial(released, random);
    counts.control.of += control.perTick;
    counts.control.events += binomial(control, random);
    const judged = judgeRatio("connect_failures", policy, { ...counts, before }, looks, tick === ticks);
    looks = judged.looks;
    if (judged.figure.outcome === "failed") return counts.released.of;
  }
  return undefined;
}

/** Gaps between events are geometric: as many random numbers as there are events. */
function binomial({ perTick, rate }: Side, random: () => number): number {
  let events = 0;
  const gap = (): number => Math.floor(Math.log(1 - random()) / Math.log1p(-rate)) + 1;
  for (let at = gap(); at <= perTick; at += gap()) events += 1;
  return events;
}

// The margin would hide false alarms: it is 0 here, and the significance so large that they can be counted.
test.each([
  ["as much control", { perTick: 100, rate: 0.02 }, { perTick: 100, rate: 0.02 }],
  ["a hundred times the control", { perTick: 25, rate: 0.01 }, { perTick: 2500, rate: 0.01 }],
  ["ten times the control, and few failures", { perTick: 100, rate: 0.002 }, { perTick: 1000, rate: 0.002 }],
])("over a whole wave false alarms stay below the significance, with %s", (_what, released, control) => {
  const policy = { sampleMin: 500, significancePpm: 50_000, marginBasisPoints: 0 };
  const random = seededRandom(runSeed());
  const waves = 400;
  let alarms = 0;
  for (let wave = 0; wave < waves; wave += 1)
    if (samplesUntilFailed(policy, released, control, 120, random) !== undefined) alarms += 1;
  // Five standard deviations above 20 of 400.
  expect(alarms).toBeLessThan(20 + 5 * Math.sqrt(20 * 0.95));
});

test("5 % failing connects against 0.1 % are found within 1000 of them, with a power of 99 %, at the default significance", () => {
  const policy = { sampleMin: 500, significancePpm: 1000, marginBasisPoints: 50 };
  const random = seededRandom(runSeed());
  const waves = 1000;
  let found = 0;
  for (let wave = 0; wave < waves; wave += 1) {
    const samples = samplesUntilFailed(policy, { perTick: 50, rate: 0.05 }, { perTick: 50, rate: 0.001 }, 100, random);
    if (samples !== undefined && samples <= 1000) found += 1;
  }
  expect(found / waves).toBeGreaterThan(0.99);
});
