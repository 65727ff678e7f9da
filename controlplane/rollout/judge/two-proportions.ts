/** So many of so many. */
export interface Proportion {
  readonly events: number;
  readonly of: number;
}

/**
 * Below this many expected events, or others, in a group the test is exact. The usual rule of thumb is 5, which is for tests at
 * 5 percent: at the 1 in 2,000 that a first look takes, a small group beside a large one would raise a false alarm about four times as
 * often as it says (500 beside 50,000 at 1 percent: 1 in 550). At 1000 the difference is less than what looking many times leaves unused.
 */
export const expectedForNormalMin = 1000;

/**
 * The probability of seeing at least so many more events in the first group, where both groups are alike: one-sided test of two
 * proportions. With large expected counts the z-test with pooled variance (NIST/SEMATECH e-Handbook of Statistical Methods, section
 * 7.3.3), otherwise Fisher's exact test (R. A. Fisher, The Design of Experiments, 1935, section 11). 1 where a group is empty.
 */
export function pValueOfExcess(first: Proportion, second: Proportion): number {
  if (first.of === 0 || second.of === 0) return 1;
  return expectedMin(first, second) >= expectedForNormalMin ? pooledZTest(first, second) : fisherExact(first, second);
}

/** The smallest of the four counts that are expected where both groups are alike. */
function expectedMin(first: Proportion, second: Proportion): number {
  const all = first.of + second.of;
  const events = first.events + second.events;
  return (Math.min(first.of, second.of) / all) * Math.min(events, all - events);
}

export function pooledZTest(first: Proportion, second: Proportion): number {
  const pooled = (first.events + second.events) / (first.of + second.of);
  const variance = pooled * (1 - pooled) * (1 / first.of + 1 / second.of);
  if (variance === 0) return 1;
  return normalUpperTail((first.events / first.of - second.events / second.of) / Math.sqrt(variance));
}

/**
 * The upper tail of the hypergeometric distribution: of all ways to spread the events over both groups, those that put at least as many
 * into the first. Summed away from the mode, where terms only shrink, and no further than they count.
 */
export function fisherExact(first: Proportion, second: Proportion): number {
  const all = first.of + second.of;
  const events = first.events + second.events;
  const least = Math.max(0, events - second.of);
  const most = Math.min(events, first.of);
  if (first.events <= least) return 1;
  const probability = (count: number): number =>
    Math.exp(lnChoose(first.of, count) + lnChoose(second.of, events - count) - lnChoose(all, events));
  /** Of one more in the first group, as a multiple of the probability of `count`. */
  const step = (count: number): number =>
    ((first.of - count) * (events - count)) / ((count + 1) * (second.of - events + count + 1));
  const mode = Math.floor(((events + 1) * (first.of + 1)) / (all + 2));
  if (first.events > mode) {
    let term = probability(first.events);
    let sum = 0;
    for (let count = first.events; count <= most && term > sum * Number.EPSILON; count += 1) {
      sum += term;
      term *= step(count);
    }
    return Math.min(1, sum);
  }
  let term = probability(first.events - 1);
  let below = 0;
  for (let count = first.events - 1; count >= least && term > below * Number.EPSILON; count -= 1) {
    below += term;
    term = count > least ? term / step(count - 1) : 0;
  }
  return Math.max(0, 1 - below);
}

function lnChoose(from: number, count: number): number {
  return lnFactorial(from) - lnFactorial(count) - lnFactorial(from - count);
}

const smallFactorials: number[] = [0];
for (let n = 1; n < 256; n += 1) smallFactorials.push((smallFactorials[n - 1] ?? 0) + Math.log(n));

/** Stirling's series (Abramowitz and Stegun 6.1.41) from 256 on, where its fourth term is below 1e-19. */
export function lnFactorial(n: number): number {
  const small = smallFactorials[n];
  if (small !== undefined) return small;
  const series = 1 / (12 * n) - 1 / (360 * n ** 3) + 1 / (1260 * n ** 5);
  return n * Math.log(n) - n + 0.5 * Math.log(2 * Math.PI * n) + series;
}

/** The probability of more than `z` standard deviations above the mean; relative error below 1.2e-7 (Press et al., Numerical Recipes, `erfcc`). */
export function normalUpperTail(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.5 * x);
  let polynomial = 0;
  for (const coefficient of erfcCoefficients) polynomial = polynomial * t + coefficient;
  const tail = 0.5 * t * Math.exp(-x * x + polynomial);
  return z >= 0 ? tail : 1 - tail;
}

/** Highest power first. */
const erfcCoefficients = [
  0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418, 0.37409196, 1.00002368,
  -1.26551223,
] as const;
