import { describe, expect, test } from "vitest";
import {
  type Taken,
  abort,
  byGate,
  byHand,
  complete,
  emergency,
  given,
  promote,
  r3,
  release,
  resume,
  start,
} from "../../test/controlplane/given-rollout.ts";
import { ReleaseHistory, staged } from "../../test/controlplane/release-history.ts";
import type { RolloutStepWish } from "./command.ts";
import { releaseSentence } from "./release-sentence.ts";

const inStates: Readonly<Record<string, readonly Taken[]>> = {
  none: [],
  running: [start],
  "at the last wave": [start, release(1), release(2)],
  paused: [start, byHand("pause")],
  completed: [start, release(1), release(2), complete(2)],
  aborted: [start, abort],
  "rolled back": [start, byHand("roll_back")],
  superseded: [start, abort, "immediate", "change", "change"],
};
const again = (revision: number, target = 2): string =>
  `rollouts/r${revision} started ${target}: canary, wave 2, the rest; rollouts/r${revision} wave 0`;
const forced = (revision: number, target = 2): string => {
  const name = `rollouts/emergency-${revision}`;
  return `${name} started ${target}: ; ${name} wave 0; ${name} completed`;
};
const [state, busy, nothing] = ["ROLLOUT_STATE", "ROLLOUT_UNDER_WAY", "NOTHING_TO_RELEASE"];

/** What each step comes to in each state, in the order of `inStates`. */
const laws: readonly (readonly [name: string, step: RolloutStepWish, ...outcomes: readonly string[]])[] = [
  ["start", start, again(3), busy, busy, busy, nothing, again(5), again(5), nothing],
  [
    "an emergency",
    emergency,
    forced(3),
    `rollouts/r3 aborted; ${forced(4)}`,
    `rollouts/r3 aborted; ${forced(6)}`,
    `rollouts/r3 aborted; ${forced(5)}`,
    nothing,
    forced(5),
    forced(5),
    nothing,
  ],
  ["the next wave", release(1), "NOT_FOUND", `${r3} wave 1`, state, state, state, state, state, state],
  ["the end", complete(2), "NOT_FOUND", state, `${r3} completed`, state, state, state, state, state],
  ["a pause", byHand("pause"), state, `${r3} paused`, `${r3} paused`, state, state, state, state, state],
  ["a pause by a gate", byGate("pause", 0), "NOT_FOUND", `${r3} paused`, state, state, state, state, state, state],
  ["resume", resume, state, state, state, `${r3} resumed`, state, state, state, state],
  [
    "promote",
    promote(false),
    state,
    `${r3} wave 1 promoted`,
    `${r3} completed promoted`,
    `${r3} wave 1 promoted`,
    state,
    state,
    state,
    state,
  ],
  [
    "promote to the end",
    promote(true),
    state,
    `${r3} wave 1 promoted; ${r3} wave 2 promoted; ${r3} completed promoted`,
    `${r3} completed promoted`,
    `${r3} wave 1 promoted; ${r3} wave 2 promoted; ${r3} completed promoted`,
    state,
    state,
    state,
    state,
  ],
  ["abort", abort, state, `${r3} aborted`, `${r3} aborted`, `${r3} aborted`, state, state, state, state],
  ["roll back", byHand("roll_back"), state, ...Array<string>(5).fill(`${r3} rolled_back`), state, state],
  [
    "a roll back by a gate",
    byGate("roll_back", 0),
    "NOT_FOUND",
    `${r3} rolled_back`,
    state,
    state,
    state,
    state,
    state,
    state,
  ],
];

describe.each(Object.entries(inStates).map(([name, steps], index) => ({ name, steps, index })))(
  "a rollout that is: $name",
  ({ steps, index }) => {
    test.each(laws.map(([what, step, ...outcomes]) => ({ what, step, outcome: outcomes[index] })))(
      "$what: $outcome",
      ({ step, outcome }) => {
        expect(given(...steps).when(step).outcome).toBe(outcome);
      },
    );
  },
);

describe("a step of the controller", () => {
  test("is taken once", () => {
    expect(given(start, release(1)).when(release(1)).outcome).toBe(state);
    expect(given(start, byGate("pause", 0)).when(byGate("pause", 0)).outcome).toBe(state);
    expect(given(start, byGate("roll_back", 0)).when(byGate("roll_back", 0)).outcome).toBe(state);
    const all = [start, release(1), release(2), complete(2)];
    expect(given(...all).when(complete(2)).outcome).toBe(state);
  });
  test("is for the wave that was released last, and for no other", () => {
    expect(given(start).when(release(2)).words).toEqual([
      "wave: wave 2 of rollouts/r3 was judged; wave 1 was released last",
    ]);
    const unjudged = { ...release(2), judgement: null } as RolloutStepWish;
    expect(given(start).when(unjudged).words).toEqual([
      "wave: wave 3 of rollouts/r3 is not to be released now: the next is wave 2 of 3",
    ]);
    expect(given(start, release(1)).when(byGate("roll_back", 0)).words).toEqual([
      "wave: wave 1 of rollouts/r3 was judged; wave 2 was released last",
    ]);
    expect(given(start).when(complete(0)).words).toEqual([
      "wave: rollouts/r3 is not complete: 1 of 3 waves are released",
    ]);
    expect(given(start, release(1), release(2)).when(release(3)).words).toEqual([
      "wave: wave 4 of rollouts/r3 is not to be released now: all of them are released of 3",
    ]);
    const silent = { ...byGate("pause", 0), judgement: null } as RolloutStepWish;
    expect(given(start).when(silent).words).toEqual([
      "wave: no wave of rollouts/r3 was judged; wave 1 was released last",
    ]);
  });
});

describe("what an operator reads", () => {
  const asked = (steps: readonly Taken[], step: RolloutStepWish) => given(...steps).when(step).words;
  test.each([
    [asked([], resume), "name: no rollout is under way; none was ever started"],
    [
      asked([start, abort], resume),
      "name: no rollout is under way; the newest: rollouts/r3 was aborted (since revision 4)",
    ],
    [
      asked([start], resume),
      "name: rollouts/r3 is running (since revision 3): only a rollout that is paused can be resumed",
    ],
    [
      asked([start, abort], { step: "abort", rollout: r3 }),
      "name: rollouts/r3 was aborted (since revision 4): only a rollout that is under way can be aborted",
    ],
    [
      asked([], { step: "abort", rollout: r3 }),
      "name: there is no rollouts/r3 among the newest 50 rollouts; none was ever started",
    ],
    [
      asked([start, byHand("roll_back")], byHand("roll_back")),
      "name: rollouts/r3 was rolled back (since revision 4): nothing is left of it",
    ],
    [
      asked([start, abort, "change", start], { ...byHand("roll_back"), rollout: r3 } as RolloutStepWish),
      "name: rollouts/r3 is not the newest rollout: only rollouts/r6 can be rolled back",
    ],
    [
      asked([start, abort, "immediate", "change", "change"], byHand("roll_back")),
      "name: what ran before rollouts/r3 is no more: revision 7 has been released to all nodes since. Revert to the revision that is wanted, or start a rollout of it",
    ],
  ])("%j", (words, expected) => {
    expect(words).toEqual([expected]);
  });
});

test("the history has a sentence for each event", () => {
  const history = new ReleaseHistory();
  history.setDefault(staged({ title: "canary", percent: 5 }));
  history.change();
  const said: string[] = [];
  const steps = [start, byHand("pause"), resume, byGate("pause", 0), promote(false), byHand("roll_back"), emergency];
  for (const step of steps) {
    const decision = history.ask(step);
    if ("refused" in decision) throw new Error(JSON.stringify(decision));
    said.push(...decision.releases.map(releaseSentence));
  }
  expect(said).toEqual([
    "rollouts/r3 started to release revision 2 by rolloutPolicies/default, in 2 waves: canary, the rest",
    "rollouts/r3 released wave 1",
    "rollouts/r3 was paused by an operator",
    "rollouts/r3 was resumed",
    "rollouts/r3 was paused: the gate refused failed",
    "rollouts/r3 released wave 2, promoted by an operator",
    "rollouts/r3 was rolled back by an operator",
    "rollouts/emergency-9 released revision 2 to all nodes at once, as an EMERGENCY",
    "rollouts/emergency-9 released wave 1",
    "rollouts/emergency-9 was completed: every node is released",
  ]);
});
