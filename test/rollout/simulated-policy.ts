interface Wave {
  readonly title: string;
  readonly bakeTime: string;
  readonly percent?: number;
  readonly regions?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
}

/**
 * With what fails in the simulated world, not one run of a million is judged wrongly by it: of 500 connections one fails anyway, 25 where
 * a change is bad, and 8 and more are an alarm.
 */
export const certain = { significancePpm: 1, marginBasisPoints: 150 };

/** A staged policy in the API's JSON form, in force for every commit. */
export function policyOf(waves: readonly Wave[], staged: object = {}): object {
  const gates = { applyDeadline: "60s", connectFailures: certain };
  return { rolloutPolicy: { name: "rolloutPolicies/default", staged: { waves, gates, ...staged } } };
}

/** A few nodes anywhere, a region, the rest. */
export const threeWaves = policyOf([
  { title: "canary", percent: 5, bakeTime: "120s" },
  { title: "eu", regions: ["eu"], bakeTime: "60s" },
  { title: "everywhere", bakeTime: "30s" },
]);

/** The same for a small fleet: one rack of ten goes first. */
export const rackFirst = policyOf([
  { title: "canary", labels: { rack: "0" }, bakeTime: "120s" },
  { title: "eu", regions: ["eu"], bakeTime: "60s" },
  { title: "everywhere", bakeTime: "30s" },
]);
