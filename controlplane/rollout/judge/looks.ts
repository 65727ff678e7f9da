/** What was looked at so far, of one ratio during one wave. */
export interface Looks {
  readonly taken: number;
  /** Events on released nodes at the last look; 0 before the first. */
  readonly lastSample: number;
  /** What a look has found, in a sentence: it stays found, whoever may act on it and when. */
  readonly found: string | null;
}

export const noLooks: Looks = { taken: 0, lastSample: 0, found: null };

/** The sample grows by this much from look to look: some ten looks for each tenfold sample. */
const growth = 1.25;

/**
 * Whether it is time for another look. A test that is repeated at each tick finds something sooner or later where there is nothing:
 * so it is repeated seldom, and {@link significanceAt} divides the error among the looks. `last`: the bake time is over.
 */
export function isTimeToLook({ taken, lastSample }: Looks, sample: number, last: boolean): boolean {
  if (taken === 0 || sample >= lastSample * growth) return true;
  return last && sample > lastSample;
}

/**
 * What the k-th look may spend: 1/(k(k+1)) of the whole. However many looks there are, these add up to less than the whole
 * (alpha spending; K. K. G. Lan and D. L. DeMets, Discrete sequential boundaries for clinical trials, Biometrika 70, 1983; the sum is
 * 1 - 1/(n+1), and Boole's inequality does the rest).
 */
export function significanceAt(look: number, significance: number): number {
  return significance / (look * (look + 1));
}
