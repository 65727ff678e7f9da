import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { arbitraryHistory, commitOf } from "../test/support/arbitrary-release.ts";
import { written } from "../test/support/arbitrary-resource.ts";
import type { LogEvent } from "./event.ts";
import type { NodeIdentity } from "./node-identity.ts";
import type { RolloutStart } from "./release-event.ts";
import {
  activeRollout,
  effectiveRevision,
  isReleasedToAll,
  nothingReleased,
  oldestInUse,
  releasedToAll,
  type Releases,
  releasesAfter,
  rolloutsKept,
} from "./releases.ts";
import type { RolloutName } from "./resource-name.ts";
import { rolloutGatesDefaults, type RolloutWave, wholeFleet } from "./rollout-policy.ts";

const eu: NodeIdentity = { id: "node-1", region: "eu", labels: {} };
const us: NodeIdentity = { id: "node-2", region: "us", labels: { tier: "edge" } };
const ap: NodeIdentity = { id: "node-3", region: "ap", labels: {} };

const euFirst: readonly RolloutWave[] = [
  { ...wholeFleet, regions: ["eu"] },
  { ...wholeFleet, labels: { tier: "edge" } },
  wholeFleet,
];

const policy = (staged: boolean): LogEvent => {
  const resource = { name: "rolloutPolicies/default", ...(staged && { staged: { waves: [{ percent: 100 }] } }) };
  return { type: "updated", resource: written({ rolloutPolicy: resource }) };
};
const comes = [policy(true)];
const goes: readonly LogEvent[] = [{ type: "deleted", name: "rolloutPolicies/default" }];
const change: readonly LogEvent[] = [{ type: "created", resource: written({ farm: { name: "farms/web" } }) }];

const a: RolloutName = "rollouts/a";
const b: RolloutName = "rollouts/b";

function started(rollout: RolloutName, targetRevision: number, waves = euFirst): readonly LogEvent[] {
  const staged = { waves, gates: rolloutGatesDefaults, onFailure: "roll_back", startAutomatically: false } as const;
  const targetDigest = new Uint8Array(32);
  const start: RolloutStart = { targetRevision, targetDigest, policy: null, staged, emergency: waves.length === 1 };
  return [{ type: "rollout_started", rollout, start }, ...wave(rollout, 0)];
}
const wave = (rollout: RolloutName, number: number): readonly LogEvent[] => [
  { type: "wave_released", rollout, wave: number, judgement: null, promoted: false },
];
const completed = (rollout: RolloutName): readonly LogEvent[] => [
  { type: "rollout_completed", rollout, judgement: null, promoted: false },
];
const paused = (rollout: RolloutName): readonly LogEvent[] => [
  { type: "rollout_paused", rollout, failedGate: null, judgement: null },
];
const resumed = (rollout: RolloutName): readonly LogEvent[] => [{ type: "rollout_resumed", rollout }];
const aborted = (rollout: RolloutName): readonly LogEvent[] => [{ type: "rollout_aborted", rollout }];
const rolledBack = (rollout: RolloutName): readonly LogEvent[] => [
  { type: "rollout_rolled_back", rollout, failedGate: "lost", judgement: null },
];

/** One commit of each list of events, from revision 1 on. */
function fold(commits: readonly (readonly LogEvent[])[], from = nothingReleased, first = 1): Releases {
  return commits.reduce((releases, events, index) => releasesAfter(releases, commitOf(first + index, events)), from);
}

describe("nodes of eu, of us (tier=edge) and of ap run, after", () => {
  /** Revision 2 is a change that all run; 5 waits. */
  const first = [started("rollouts/first", 2, [wholeFleet]), completed("rollouts/first")];
  const held = [comes, change, ...first, change];
  const revisions = (...each: readonly number[]): readonly number[] => each;
  const cases: readonly (readonly [what: string, readonly (readonly LogEvent[])[], readonly number[]])[] = [
    ["nothing, nothing", [], revisions(0, 0, 0)],
    ["changes without a policy, the newest", [change, change], revisions(2, 2, 2)],
    ["a policy that comes, the commit that brought it", [change, comes], revisions(2, 2, 2)],
    ["a policy that is not staged, the newest", [[policy(false)], change], revisions(2, 2, 2)],
    ["a change under a staged policy, what they had", [comes, change, change], revisions(1, 1, 1)],
    ["a staged policy that is changed, what they had", [comes, change, comes], revisions(1, 1, 1)],
    ["a policy that goes, all that waited", [comes, change, goes], revisions(3, 3, 3)],
    ["a policy that is no longer staged, all that waited", [comes, change, [policy(false)]], revisions(3, 3, 3)],
    ["the first wave, by the wave", [...held, started(a, 5)], revisions(5, 2, 2)],
    ["the second wave, by both", [...held, started(a, 5), wave(a, 1)], revisions(5, 5, 2)],
    ["the last wave, by all of them", [...held, started(a, 5), wave(a, 1), wave(a, 2)], revisions(5, 5, 5)],
    ["the end", [...held, started(a, 5), wave(a, 1), wave(a, 2), completed(a)], revisions(5, 5, 5)],
    ["an end before its time, all of it", [...held, started(a, 5), completed(a)], revisions(5, 5, 5)],
    ["a pause, what they had", [...held, started(a, 5), paused(a)], revisions(5, 2, 2)],
    ["a pause and a wave past it", [...held, started(a, 5), paused(a), wave(a, 1)], revisions(5, 5, 2)],
    ["a pause that is over, what they had", [...held, started(a, 5), paused(a), resumed(a)], revisions(5, 2, 2)],
    ["an end by abort, what they had", [...held, started(a, 5), aborted(a)], revisions(5, 2, 2)],
    ["a roll back, what they had before it", [...held, started(a, 5), wave(a, 1), rolledBack(a)], revisions(2, 2, 2)],
    ["a roll back of what was complete", [...held, started(a, 5), completed(a), rolledBack(a)], revisions(2, 2, 2)],
    ["a roll back of what was aborted", [...held, started(a, 5), aborted(a), rolledBack(a)], revisions(2, 2, 2)],
    [
      "a roll back to a fleet that an abort had left divided",
      [...held, started(a, 5), aborted(a), change, started(b, 8), wave(b, 1), rolledBack(b)],
      revisions(5, 2, 2),
    ],
    [
      "a rollout over what an abort had left",
      [...held, started(a, 5), wave(a, 1), aborted(a), change, started(b, 9)],
      revisions(9, 5, 2),
    ],
    [
      "its end, nothing of what the abort had left",
      [...held, started(a, 5), wave(a, 1), aborted(a), change, started(b, 9), completed(b)],
      revisions(9, 9, 9),
    ],
    ["a rollout to an earlier revision", [...held, started(a, 1)], revisions(1, 2, 2)],
    ["a change amid a rollout, what they had", [...held, started(a, 5), change], revisions(5, 2, 2)],
    ["a change amid a rollout without a policy too", [change, started(a, 1), change], revisions(1, 1, 1)],
    ["a policy that goes amid a rollout, what they had", [...held, started(a, 5), goes], revisions(5, 2, 2)],
    ["the first change after it, all of it", [...held, started(a, 5), goes, completed(a), change], revisions(9, 9, 9)],
    [
      "a change without a policy after an abort, the newest",
      [change, started(a, 0), aborted(a), change],
      revisions(4, 4, 4),
    ],
    [
      "an emergency past a rollout, what it says",
      [...held, started(a, 5), [...aborted(a), ...started(b, 1, [wholeFleet]), ...completed(b)]],
      revisions(1, 1, 1),
    ],
    [
      "its roll back, what the fleet was divided into",
      [...held, started(a, 5), [...aborted(a), ...started(b, 1, [wholeFleet]), ...completed(b)], rolledBack(b)],
      revisions(5, 2, 2),
    ],
    [
      "steps of a rollout that is not the newest, what they had",
      [...held, started(a, 5), started(b, 1), wave(a, 2), rolledBack(a), completed(a)],
      revisions(1, 2, 2),
    ],
    [
      "a wave that was released already, what they had",
      [...held, started(a, 5), wave(a, 1), wave(a, 0)],
      revisions(5, 5, 2),
    ],
    ["a wave before its time, what they had", [...held, started(a, 5), wave(a, 2)], revisions(5, 2, 2)],
    [
      "a wave that there is not, what they had",
      [...held, started(a, 5), wave(a, 1), wave(a, 2), wave(a, 3)],
      revisions(5, 5, 5),
    ],
    [
      "a wave of what was rolled back, what they had",
      [...held, started(a, 5), rolledBack(a), wave(a, 1)],
      revisions(2, 2, 2),
    ],
    [
      "an end of what was aborted, what they had",
      [...held, started(a, 5), aborted(a), completed(a)],
      revisions(5, 2, 2),
    ],
    ["a second roll back, what they had", [...held, started(a, 5), rolledBack(a), rolledBack(a)], revisions(2, 2, 2)],
    ["steps of a rollout that nobody started, what they had", [...held, wave(a, 0), completed(a)], revisions(2, 2, 2)],
    [
      "a roll back that has nothing to go back to",
      [...held, started(a, 5), completed(a), goes, rolledBack(a)],
      revisions(8, 8, 8),
    ],
  ];
  test.each(cases)("%s", (_what, commits, expected) => {
    const releases = fold(commits);
    expect([eu, us, ap].map((node) => effectiveRevision(node, releases))).toEqual(expected);
  });
});

describe("the record of a rollout", () => {
  test("has each step with its commit, the waves after it, and what was said", () => {
    const { rollouts } = fold([change, started(a, 1), paused(a), resumed(a), wave(a, 1), wave(a, 2), completed(a)]);
    const [record] = rollouts;
    expect(record).toMatchObject({ name: a, state: "completed", releasedWaves: 3 });
    expect(record?.decisions.map(({ step, revision, releasedWaves }) => [step, revision, releasedWaves])).toEqual([
      ["started", 2, 0],
      ["wave_released", 2, 1],
      ["paused", 3, 1],
      ["resumed", 4, 1],
      ["wave_released", 5, 2],
      ["wave_released", 6, 3],
      ["completed", 7, 3],
    ]);
    expect(record?.decisions[2]).toMatchObject({ author: "ann", reason: "change 3", timeMs: 3000 });
  });

  const states: readonly (readonly [state: string, active: boolean, ...steps: readonly (readonly LogEvent[])[]])[] = [
    ["running", true],
    ["paused", true, paused(a)],
    ["paused", true, paused(a), wave(a, 1)],
    ["running", true, paused(a), resumed(a)],
    ["completed", false, completed(a)],
    ["completed", false, completed(a), resumed(a)],
    ["aborted", false, aborted(a)],
    ["aborted", false, aborted(a), completed(a)],
    ["rolled_back", false, rolledBack(a)],
    ["rolled_back", false, completed(a), rolledBack(a)],
    ["rolled_back", false, aborted(a), rolledBack(a)],
  ];
  const cases = states.map(([state, active, ...steps]) => {
    const after = steps.flatMap((events) => events.map(({ type }) => type)).join(", ") || "its start";
    return { state, active, after, steps };
  });
  test.each(cases)("is $state after $after", ({ state, active, steps }) => {
    const releases = fold([change, started(a, 1), ...steps]);
    expect(releases.rollouts.at(-1)?.state).toBe(state);
    expect(activeRollout(releases)?.name).toBe(active ? a : undefined);
  });

  test("of very many steps has the first and the newest", () => {
    const many = Array.from({ length: 300 }, (_, index) => (index % 2 === 0 ? paused(a) : resumed(a)));
    const decisions = fold([change, started(a, 1), ...many]).rollouts[0]?.decisions ?? [];
    expect(decisions).toHaveLength(200);
    expect([decisions[0]?.step, decisions.at(-1)?.revision]).toEqual(["started", 302]);
  });

  test("is forgotten with those that ended longest ago", () => {
    const rollouts = Array.from({ length: rolloutsKept + 5 }, (_, index): RolloutName => `rollouts/r${index}`);
    const releases = fold([change, ...rollouts.map((each) => [...started(each, 1), ...completed(each)])]);
    expect(releases.rollouts.map(({ name }) => name)).toEqual(rollouts.slice(5));
  });
});

describe("the oldest revision in use is", () => {
  const base = [comes, change, change];
  const cases: readonly (readonly [what: string, readonly (readonly LogEvent[])[], number])[] = [
    ["the newest, without a policy", [change, change], 2],
    ["the one that all run, while others wait", base, 1],
    ["the one to go back to, after a rollout", [...base, [...started(a, 3), ...completed(a)]], 1],
    ["the target of a rollout under way, where that is older", [change, change, change, started(a, 2)], 2],
    ["the same before its first wave", [change, change, change, started(a, 2).slice(0, 1)], 2],
    ["the one that an abort left", [change, change, change, started(a, 1), aborted(a), started(b, 2), completed(b)], 1],
    ["the newest again, once a change went to all", [...base, started(a, 2), completed(a), goes], 6],
  ];
  test.each(cases)("%s", (_what, commits, expected) => {
    expect(oldestInUse(fold(commits))).toBe(expected);
  });
});

describe("a log that knows no rollouts", () => {
  const commits = [change, change, [], change, []];
  test.each(commits.map((_, index) => index))("is released to all nodes, as ever (%i commits)", (length) => {
    const releases = fold(commits.slice(0, length));
    expect(isReleasedToAll(releases, { revision: length })).toBe(true);
    expect(releases).toEqual(releasedToAll({ revision: length }));
  });

  test("is another thing than one with a policy, a record or a commit that waits", () => {
    for (const each of [[comes], [comes, change], [change, started(a, 1), completed(a), change], [change, wave(a, 0)]])
      expect(isReleasedToAll(fold(each), { revision: each.length })).toBe(false);
  });

  test("says nothing new with a commit without events while something waits", () => {
    const waiting = fold([comes, change]);
    expect(releasesAfter(waiting, commitOf(3, []))).toEqual(waiting);
  });
});

test("what is released is bounded, and of revisions that are there, whatever the events were", () => {
  fc.assert(
    fc.property(arbitraryHistory, (commits) => {
      let releases = nothingReleased;
      for (const commit of commits) {
        releases = releasesAfter(releases, commit);
        for (const node of [eu, us, ap]) {
          const revision = effectiveRevision(node, releases);
          expect(revision).toBeLessThanOrEqual(commit.revision);
          expect(revision).toBeGreaterThanOrEqual(oldestInUse(releases));
        }
        expect(releases.latest).toBeLessThanOrEqual(commit.revision);
        for (const { start, releasedWaves } of releases.rollouts)
          expect(releasedWaves).toBeLessThanOrEqual(start.staged.waves.length);
      }
    }),
  );
});
