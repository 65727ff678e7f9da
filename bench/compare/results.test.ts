import { describe, expect, test } from "vitest";
import { countFailures, summariseRounds } from "./results.ts";
import type { RoundOutcome } from "./rounds.ts";

function good(round: number, speed: number): RoundOutcome {
  return { round, figures: { speed } };
}
function bad(round: number): RoundOutcome {
  return { round, failure: "connections went wrong: 3 reset" };
}

describe("a failed round", () => {
  test.each<{ of: string; rounds: readonly RoundOutcome[]; failures: number; speed: number | undefined }>([
    { of: "no failure", rounds: [good(0, 1), good(1, 3), good(2, 2)], failures: 0, speed: 2 },
    { of: "one in three", rounds: [good(0, 10), bad(1), good(2, 20)], failures: 1, speed: 15 },
    { of: "half", rounds: [good(0, 10), bad(1)], failures: 1, speed: 10 },
    { of: "most", rounds: [good(0, 1_000_000), bad(1), bad(2)], failures: 2, speed: undefined },
    { of: "all", rounds: [bad(0), bad(1)], failures: 2, speed: undefined },
    { of: "no round at all", rounds: [], failures: 0, speed: undefined },
  ])("never counts as speed: $of", ({ rounds, failures, speed }) => {
    const results = summariseRounds(rounds);
    expect(results.failures).toBe(failures);
    expect(results.medians?.["speed"]).toBe(speed);
  });

  test("is counted over all measures and targets", () => {
    const one = summariseRounds([good(0, 1), bad(1)]);
    const two = summariseRounds([bad(0), bad(1)]);
    expect(countFailures({ rate: { a: one, b: two }, bulk: { a: one } })).toBe(4);
  });
});

test("a figure that a round lacks has no median", () => {
  const rounds: RoundOutcome[] = [
    { round: 0, figures: { speed: 1, busy: 1 } },
    { round: 1, figures: { speed: 3 } },
  ];
  expect(summariseRounds(rounds).medians).toEqual({ speed: 2 });
});
