import { expect, test } from "vitest";
import { runSeed, seededRandom } from "../../../test/support/seeded-random.ts";
import {
  fisherExact,
  lnFactorial,
  normalUpperTail,
  pooledZTest,
  type Proportion,
  pValueOfExcess,
} from "./two-proportions.ts";

const share = (events: number, of: number): Proportion => ({ events, of });

// Abramowitz and Stegun, Handbook of Mathematical Functions, tables 26.1 and 26.2.
test.each([
  [0, 0.5],
  [1, 0.158655254],
  [2, 0.022750132],
  [3, 0.00134989803],
  [4, 3.16712418e-5],
  [5, 2.86651572e-7],
  [-1, 0.841344746],
])("the normal distribution has beyond %d standard deviations what tables say", (z, tail) => {
  expect(normalUpperTail(z) / tail).toBeCloseTo(1, 6);
});

test.each([
  // Fisher, The Design of Experiments, section 5: a lady who tells three of four cups.
  ["the lady who tasted tea", share(3, 4), share(1, 4), 17 / 70, 10],
  // Fisher 1935, The Logic of Inductive Inference: convicts with a convicted twin; R's fisher.test has it among its examples.
  ["twins of convicts", share(10, 13), share(2, 17), 0.0004652, 3],
  ["as few as there can be", share(0, 10), share(5, 10), 1, 10],
  ["nothing anywhere", share(0, 10), share(0, 10), 1, 10],
  ["all of the one, none of the other", share(5, 5), share(0, 5), 1 / 252, 10],
] as const)("Fisher's exact test of %s", (_what, first, second, pValue, digits: number) => {
  expect(fisherExact(first, second) / pValue).toBeCloseTo(1, digits);
});

function choose(from: bigint, count: bigint): bigint {
  let result = 1n;
  for (let k = 1n; k <= count; k += 1n) result = (result * (from - count + k)) / k;
  return result;
}

/** The same with whole numbers: no logarithm, no rounding until the end. */
function exactly(first: Proportion, second: Proportion): number {
  const events = first.events + second.events;
  let ways = 0n;
  for (let count = first.events; count <= Math.min(events, first.of); count += 1)
    if (events - count <= second.of)
      ways += choose(BigInt(first.of), BigInt(count)) * choose(BigInt(second.of), BigInt(events - count));
  const digits = 10n ** 30n;
  return Number((ways * digits) / choose(BigInt(first.of + second.of), BigInt(events))) / 1e30;
}

test("Fisher's exact test is what counting with whole numbers gives", () => {
  const random = seededRandom(runSeed());
  const below = (limit: number): number => Math.floor(random() * limit);
  for (let round = 0; round < 300; round += 1) {
    const [firstOf, secondOf] = [1 + below(round % 2 === 0 ? 20 : 400), 1 + below(400)];
    const rate = random() ** 2;
    const first = share(below(Math.ceil(firstOf * rate) + 1), firstOf);
    const second = share(below(Math.ceil(secondOf * rate) + 1), secondOf);
    const expected = exactly(first, second);
    // Below 1e-18 the digits of the whole-number quotient run out.
    if (expected <= 1e-18) continue;
    const relative = fisherExact(first, second) / expected;
    expect({ first, second, isSame: Math.abs(relative - 1) < 1e-9 }).toEqual({ first, second, isSame: true });
  }
});

test("factorials go on where the table of them ends", () => {
  let exact = 0;
  for (let n = 1; n <= 2000; n += 1) {
    exact += Math.log(n);
    expect({ n, isSame: Math.abs(lnFactorial(n) - exact) <= exact * 1e-13 }).toEqual({ n, isSame: true });
  }
});

test("where counts are large both tests say the same", () => {
  for (const first of [10_000, 10_100, 10_250, 10_400]) {
    const [one, other] = [share(first, 200_000), share(10_000, 200_000)];
    expect(Math.log(pooledZTest(one, other)) / Math.log(fisherExact(one, other))).toBeCloseTo(1, 1);
  }
});

test.each([
  ["an empty group", share(0, 0), share(5, 10), 1],
  ["another empty group", share(5, 10), share(0, 0), 1],
  ["all events everywhere", share(5000, 5000), share(5000, 5000), 1],
])("%s says nothing", (_what, first, second, pValue) => {
  expect(pValueOfExcess(first, second)).toBe(pValue);
});

test("a small group beside a large one raises no more false alarms than are allowed", () => {
  const [of, rate, allowed] = [500, 0.01, 0.0005];
  const lnChance = (events: number): number =>
    lnFactorial(of) -
    lnFactorial(events) -
    lnFactorial(of - events) +
    events * Math.log(rate) +
    (of - events) * Math.log1p(-rate);
  let alarms = 0;
  for (let events = 0; events <= of; events += 1)
    if (pValueOfExcess(share(events, of), share(500, 50_000)) < allowed) alarms += Math.exp(lnChance(events));
  expect(alarms).toBeLessThan(allowed);
});
