/**
 * How often a right implementation fails a test by chance: so rarely that a red run is a fault, with samples so large that
 * faults of a few percent show.
 */
const alpha = 1e-6;

/**
 * Pearson's chi-squared test of counts against the parts (they add up to 1) that each should have: null where chance explains
 * the difference, else what was counted, for the report.
 */
export function deviation(
  counts: Readonly<Record<string, number>>,
  parts: Readonly<Record<string, number>>,
): string | null {
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  let statistic = 0;
  for (const id of new Set([...Object.keys(counts), ...Object.keys(parts)])) {
    const expected = (parts[id] ?? 0) * total;
    const difference = (counts[id] ?? 0) - expected;
    if (difference !== 0) statistic += difference ** 2 / expected;
  }
  const critical = chiSquaredCritical(Object.keys(parts).length - 1, alpha);
  if (statistic < critical) return null;
  return `${JSON.stringify(counts)} for ${JSON.stringify(parts)}: chi-squared ${statistic}, critical value ${critical}`;
}

/** The value that a chi-squared variable of so many degrees of freedom exceeds with this probability. */
export function chiSquaredCritical(degrees: number, probability: number): number {
  let low = 0;
  let high = 10 * degrees + 200;
  while (high - low > 1e-9) {
    const middle = (low + high) / 2;
    if (1 - lowerGamma(degrees / 2, middle / 2) > probability) low = middle;
    else high = middle;
  }
  return high;
}

/** The regularised lower incomplete gamma function, for halves of whole numbers, by its series. */
function lowerGamma(shape: number, x: number): number {
  let term = 1;
  let sum = 1;
  for (let index = 1; term > sum * 1e-16; index += 1) {
    term *= x / (shape + index);
    sum += term;
  }
  return sum * Math.exp(shape * Math.log(x) - x - logGamma(shape + 1));
}

function logGamma(shape: number): number {
  let sum = 0;
  let left = shape;
  for (; left > 1; left -= 1) sum += Math.log(left - 1);
  return left === 0.5 ? sum + Math.log(Math.PI) / 2 : sum;
}
