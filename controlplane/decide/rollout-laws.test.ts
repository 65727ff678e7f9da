import fc from "fast-check";
import { expect, test } from "vitest";
import type { NodeIdentity } from "../../model/node-identity.ts";
import { activeRollout, effectiveRevision, oldestInUse, type Releases } from "../../model/releases.ts";
import type { WaveJudgement } from "../../model/release-event.ts";
import { isActive } from "../../model/rollout-record.ts";
import type { RolloutName } from "../../model/resource-name.ts";
import { ReleaseHistory, staged } from "../../test/controlplane/release-history.ts";
import type { RolloutStepWish } from "./command.ts";
import { layersMax } from "./start-rollout.ts";

/** A fleet of every sort that the waves below tell apart. */
const nodes: readonly NodeIdentity[] = Array.from({ length: 12 }, (_, index) => ({
  id: `node-${index}`,
  region: index % 2 === 0 ? "eu" : "us",
  labels: index % 3 === 0 ? { canary: "true" } : {},
}));

const policies = {
  staged: staged({ labels: { canary: "true" } }, { regions: ["eu"] }, { percent: 50 }),
  "one wave": staged({}),
  immediate: null,
  none: undefined,
} as const;

/** What is asked, in numbers: which rollout and which wave is found out when it is asked. */
interface Asked {
  readonly what: keyof typeof policies | "change" | RolloutStepWish["step"];
  /** 0 is the newest rollout, 1 the one before; 2 leaves the name out where it may be. */
  readonly ago: number;
  /** Added to the wave that would be right. */
  readonly off: number;
  readonly byGate: boolean;
  /** Of a start: 0 the newest revision, else so many before it. */
  readonly back: number;
}

const asked: fc.Arbitrary<Asked> = fc.record({
  what: fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom("change", "change", "staged") },
    { weight: 1, arbitrary: fc.constantFrom("one wave", "immediate", "none") },
    { weight: 4, arbitrary: fc.constant("start") },
    { weight: 6, arbitrary: fc.constantFrom("release_wave", "release_wave", "complete") },
    { weight: 4, arbitrary: fc.constantFrom("pause", "resume", "promote") },
    { weight: 3, arbitrary: fc.constantFrom("abort", "roll_back", "emergency") },
  ),
  ago: fc.constantFrom(0, 0, 0, 2, 2, 1),
  off: fc.constantFrom(0, 0, 0, 0, 1, -1),
  byGate: fc.boolean(),
  back: fc.constantFrom(0, 0, 0, 1, 3),
}) as fc.Arbitrary<Asked>;

/** Every step there is, by operators and by the controller: so that no law below is kept for want of a case. */
const everyStep: readonly Asked[] = (
  [
    ...(["change", "start", "release_wave", "pause", "resume", "promote", "pause gate", "resume"] as const),
    ...(["release_wave", "complete", "change", "start", "roll_back gate", "change", "start", "roll_back"] as const),
    ...(["change", "start", "abort", "change", "emergency"] as const),
  ] as const
).map((text) => {
  const [what, gate] = text.split(" ") as [Asked["what"], "gate" | undefined];
  return { what, ago: 0, off: 0, byGate: gate !== undefined, back: 0 };
});

function wishOf({ what, ago, off, byGate, back }: Asked, { releases, head }: ReleaseHistory): RolloutStepWish | null {
  const record = releases.rollouts.at(-1 - ago);
  const named: RolloutName = record?.name ?? "rollouts/r0";
  const rollout = ago === 2 ? null : named;
  const next = (record?.releasedWaves ?? 0) + off;
  const judgement: WaveJudgement = {
    wave: next - 1,
    counts: { nodes: 0, reachable: 0, applied: 0, refused: 0, lost: 0, crashed: 0, different: 0 },
    gates: [],
  };
  const target = back === 0 ? null : { revision: head - back, digest: new Uint8Array(32) };
  switch (what) {
    case "start":
      return { step: what, target, policy: null };
    case "emergency":
      return { step: what, target };
    case "release_wave":
      return { step: what, rollout: named, wave: next, judgement };
    case "complete":
      return { step: what, rollout: named, judgement };
    case "pause":
    case "roll_back":
      return { step: what, rollout, failedGate: byGate ? "lost" : null, judgement };
    case "resume":
    case "abort":
      return { step: what, rollout };
    case "promote":
      return { step: what, rollout, full: byGate, judgement };
    case "change":
    case "staged":
    case "one wave":
    case "immediate":
    case "none":
      return null;
  }
}

const isControllers = (wish: RolloutStepWish): boolean =>
  wish.step === "release_wave" || wish.step === "complete" || ("failedGate" in wish && wish.failedGate !== null);

const revisionsOf = (releases: Releases): number[] => nodes.map((node) => effectiveRevision(node, releases));

/** What holds of the fold whatever was asked. */
function checkState({ releases, head, configRevisions }: ReleaseHistory): void {
  const { rollouts, base, layers, prior } = releases;
  expect(rollouts.filter(isActive).length).toBeLessThanOrEqual(1);
  expect(rollouts.slice(0, -1).filter(isActive)).toEqual([]);
  expect(layers.length).toBeLessThanOrEqual(layersMax + 1);
  const wasInForce = (revision: number): boolean => revision <= head && configRevisions.includes(revision);
  for (const revision of [base, ...layers.map((layer) => layer.revision)]) expect(wasInForce(revision)).toBe(true);
  if (prior !== null) expect(wasInForce(prior.base)).toBe(true);
  for (const revision of revisionsOf(releases)) expect(revision).toBeGreaterThanOrEqual(oldestInUse(releases));
  expect(new Set(rollouts.map(({ name }) => name)).size).toBe(rollouts.length);
}

/** What a step of the rollouts may do to nodes. */
function checkStep(before: Releases, after: Releases, startedWith: Map<string, number[]>): void {
  const [was, is] = [before.rollouts.at(-1), after.rollouts.at(-1)];
  if (was !== undefined && is?.name === was.name) {
    if (is.state !== "rolled_back") expect(is.releasedWaves).toBeGreaterThanOrEqual(was.releasedWaves);
    if (isActive(was) && isActive(is)) {
      // A node that is released stays so: no step of a rollout takes it anywhere else.
      for (const [index, revision] of revisionsOf(before).entries())
        if (revision === was.start.targetRevision) expect(revisionsOf(after)[index]).toBe(revision);
    }
  }
  for (const record of after.rollouts.slice(-2)) {
    if (record === was || startedWith.has(record.name)) continue;
    const aborted = before.rollouts.at(-1);
    expect(aborted === undefined || !isActive(aborted) || record.start.emergency).toBe(true);
    startedWith.set(record.name, revisionsOf(before));
  }
  if (is === undefined || is === was) return;
  if (is.state === "completed") expect(new Set(revisionsOf(after))).toEqual(new Set([is.start.targetRevision]));
  if (is.state === "rolled_back") expect(revisionsOf(after)).toEqual(startedWith.get(is.name));
  if (is.state === "aborted" && was?.name === is.name) expect(revisionsOf(after)).toEqual(revisionsOf(before));
}

test("whatever steps are asked for, what was accepted keeps the laws of releases", () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(fc.array(asked, { minLength: 1, maxLength: 60, size: "max" }), (sequence) => {
      const history = new ReleaseHistory();
      const startedWith = new Map<string, number[]>();
      history.setDefault(policies.staged);
      for (const each of sequence) {
        const before = history.releases;
        const wish = wishOf(each, history);
        if (wish === null) {
          if (each.what === "change") history.change();
          else history.setDefault(policies[each.what as keyof typeof policies]);
          // A commit while a rollout is under way waits, whatever the policies say meanwhile.
          if (activeRollout(before) !== undefined) expect(revisionsOf(history.releases)).toEqual(revisionsOf(before));
        } else if ("refused" in history.ask(wish)) {
          expect(history.releases).toBe(before);
        } else {
          seen.add(`${wish.step} ${isControllers(wish) ? "controller" : "operator"}`);
          checkStep(before, history.releases, startedWith);
          if (isControllers(wish)) expect(history.ask(wish)).toHaveProperty("refused");
        }
        checkState(history);
      }
    }),
    { numRuns: 150, examples: [[[...everyStep]]] },
  );
  expect([...seen].sort()).toEqual([
    "abort operator",
    "complete controller",
    "emergency operator",
    "pause controller",
    "pause operator",
    "promote operator",
    "release_wave controller",
    "resume operator",
    "roll_back controller",
    "roll_back operator",
    "start operator",
  ]);
});
