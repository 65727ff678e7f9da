import { describe, expect, test } from "vitest";
import type { ReleaseEvent, WaveJudgement } from "../../model/release-event.ts";
import type { RolloutName } from "../../model/resource-name.ts";
import { policy, ReleaseHistory, staged } from "../../test/controlplane/release-history.ts";
import type { RolloutStepWish } from "./command.ts";
import { releaseSentence } from "./release-sentence.ts";
import { layersMax } from "./start-rollout.ts";

const judgement = (wave: number): WaveJudgement => ({
  wave,
  counts: { nodes: 1, reachable: 1, applied: 1, refused: 0, lost: 0, crashed: 0, different: 0 },
  gates: [],
});

/** An event in short; of a start what it releases, in which waves. */
function short(event: ReleaseEvent): string {
  const { rollout, type } = event;
  const promoted = "promoted" in event && event.promoted ? " promoted" : "";
  if (type === "wave_released") return `${rollout} wave ${event.wave}${promoted}`;
  if (type !== "rollout_started") return `${rollout} ${type.slice("rollout_".length)}${promoted}`;
  const { targetRevision, staged: release } = event.start;
  return `${rollout} started ${targetRevision}: ${release.waves.map(({ title }) => title).join(", ")}`;
}

const start: RolloutStepWish = { step: "start", target: null, policy: null };
const emergency: RolloutStepWish = { step: "emergency", target: null };
const r3: RolloutName = "rollouts/r3";
const release = (wave: number, rollout = r3): RolloutStepWish => ({
  step: "release_wave",
  rollout,
  wave,
  judgement: judgement(wave - 1),
});
const complete = (wave: number): RolloutStepWish => ({ step: "complete", rollout: r3, judgement: judgement(wave) });
const byHand = (step: "pause" | "roll_back"): RolloutStepWish => ({
  step,
  rollout: null,
  failedGate: null,
  judgement: null,
});
const byGate = (step: "pause" | "roll_back", wave: number): RolloutStepWish => ({
  step,
  rollout: r3,
  failedGate: "refused",
  judgement: judgement(wave),
});
const resume: RolloutStepWish = { step: "resume", rollout: null };
const abort: RolloutStepWish = { step: "abort", rollout: null };
const promote = (full: boolean): RolloutStepWish => ({ step: "promote", rollout: null, full, judgement: null });

type Taken = RolloutStepWish | "change" | "immediate";

/** Revision 2 waits for a rollout in three waves; then the steps are taken. */
function given(...steps: readonly Taken[]) {
  const history = new ReleaseHistory();
  history.setDefault(staged({ title: "canary", labels: { canary: "true" } }, { percent: 50 }));
  history.change();
  for (const step of steps) {
    if (step === "change") history.change();
    else if (step === "immediate") history.setDefault(null);
    else if ("refused" in history.ask(step)) throw new Error(`${step.step} is refused in what is given`);
  }
  return {
    when(step: RolloutStepWish) {
      const decision = history.ask(step);
      return {
        releases: history.releases,
        outcome: "refused" in decision ? decision.refused : decision.releases.map(short).join("; "),
        words: "refused" in decision ? decision.violations.map((each) => `${each.field}: ${each.description}`) : [],
      };
    },
  };
}

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

describe("a start", () => {
  const at = (revision: number, name: `rolloutPolicies/${string}` | null = null): RolloutStepWish => ({
    step: "start",
    target: { revision, digest: new Uint8Array(32).fill(revision) },
    policy: name,
  });
  test("says what is under way", () => {
    expect(given(start).when(start).words).toEqual([
      "name: rollouts/r3 is under way (revision 2, 1 of 3 waves are released): complete, abort or roll it back first",
    ]);
  });
  test("is of a revision that the log has", () => {
    const words =
      "target_revision: the log has no revision 9; its last is 2, and 2 is the newest that changed the configuration";
    for (const step of [at(9), { ...emergency, target: { revision: 9, digest: new Uint8Array(32) } }]) {
      const asked = given().when(step);
      expect([asked.outcome, asked.words]).toEqual(["NOT_FOUND", [words]]);
    }
    expect(given().when(at(0)).outcome).toBe("NOT_FOUND");
    expect(given().when(at(1)).words).toEqual(["target_revision: every node runs revision 1 already"]);
    expect(new ReleaseHistory().ask(start)).toMatchObject({ refused: nothing });
  });
  test("of a step of a rollout is of the configuration there; its digest is that of the head", () => {
    const history = new ReleaseHistory();
    history.setDefault(staged({ percent: 5 }));
    history.change();
    for (const step of [start, abort]) history.ask(step);
    expect(history.ask(at(4))).toMatchObject({
      releases: [{ start: { targetRevision: 2, targetDigest: history.configuration.digest } }, {}],
    });
    history.ask(abort);
    history.change();
    expect(history.ask(at(4))).toMatchObject({ releases: [{ start: { targetRevision: 2 } }, {}] });
  });
  test("of an earlier revision keeps the digest that it came with", () => {
    const history = new ReleaseHistory();
    history.setDefault(staged({ percent: 5 }));
    history.change();
    history.change();
    expect(history.ask(at(2))).toMatchObject({
      releases: [{ start: { targetRevision: 2, targetDigest: new Uint8Array(32).fill(2) } }, {}],
    });
  });
  test("is by a policy that there is", () => {
    const asked = given().when(at(2, "rolloutPolicies/night"));
    expect(asked.outcome).toBe("NOT_FOUND");
    expect(asked.words).toEqual([
      "policy: there is no rolloutPolicies/night; there are: rolloutPolicies/changed, rolloutPolicies/default",
    ]);
    expect(given().when(at(2, "rolloutPolicies/changed")).outcome).toBe(
      "rollouts/r3 started 2: change 2; rollouts/r3 wave 0",
    );
  });
  test("without a policy, or by one that does not stage, is complete at once", () => {
    const history = new ReleaseHistory();
    history.change();
    history.change();
    for (const revision of [1, 2]) {
      const before = history.head + 1;
      const decision = history.ask(at(revision));
      if ("refused" in decision) throw new Error(JSON.stringify(decision));
      const name = `rollouts/r${before}`;
      expect(decision.releases.map(short)).toEqual([
        `${name} started ${revision}: `,
        `${name} wave 0`,
        `${name} completed`,
      ]);
      expect(history.releases).toMatchObject({ base: revision, layers: [] });
      history.commit({ type: "created", resource: policy(null) });
      history.change();
    }
  });
  test("takes every node, whatever its policy's waves leave out", () => {
    const history = new ReleaseHistory();
    history.setDefault(staged({ percent: 100, regions: ["eu"] }, {}, { percent: 5 }));
    history.change();
    const waves = (): string[] => history.releases.rollouts.at(-1)?.start.staged.waves.map(({ title }) => title) ?? [];
    history.ask(start);
    expect(waves()).toEqual(["wave 1", "wave 2", "wave 3"]);
    history.ask(abort);
    history.setDefault(staged({ regions: ["eu"] }));
    history.ask(start);
    expect(waves()).toEqual(["wave 1", "the rest"]);
  });
  test("is refused where aborted rollouts have left too many revisions in use, unless it clears them", () => {
    const history = new ReleaseHistory();
    history.setDefault(staged({ percent: 5 }));
    for (let aborted = 0; aborted < layersMax; aborted += 1) {
      history.change();
      for (const step of [start, abort]) expect(history.ask(step)).not.toHaveProperty("refused");
    }
    history.change();
    const refused = history.ask(start);
    expect(refused).toMatchObject({ refused: state });
    expect(JSON.stringify(refused)).toContain("8 aborted rollouts have left nodes on revisions of their own");
    history.setDefault(staged({ percent: 5 }));
    history.commit({ type: "created", resource: policy(null, "rolloutPolicies/at-once") });
    expect(history.ask({ step: "start", target: null, policy: "rolloutPolicies/at-once" })).not.toHaveProperty(
      "refused",
    );
    expect(history.releases.layers).toEqual([]);
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
