import fc from "fast-check";
import type { Commit } from "../../model/commit.ts";
import type { LogEvent } from "../../model/event.ts";
import {
  type GateFigure,
  gateNames,
  gateOutcomes,
  type ReleaseEvent,
  type WaveJudgement,
} from "../../model/release-event.ts";
import { defaultRolloutPolicy, type RolloutName } from "../../model/resource-name.ts";
import {
  ratioGateDefaults,
  type RolloutGates,
  rolloutGatesDefaults,
  type RolloutWave,
  type StagedRelease,
  takesAllOf,
  wholeFleet,
} from "../../model/rollout-policy.ts";
import { arbitraryResource } from "./arbitrary-resource.ts";

const count = fc.nat({ max: 100_000 });
// Protobuf knows one zero.
const share = fc.double({ min: 0, max: 1, noNaN: true }).map((value) => value + 0);
const text = fc.string({ unit: "grapheme", maxLength: 20 });

const wave: fc.Arbitrary<RolloutWave> = fc.record({
  title: fc.constantFrom("", "canary", "l’été"),
  regions: fc.subarray(["ap-1", "eu", "us"]),
  labels: fc.constantFrom({}, { rack: "7", tier: "edge" }, { tier: "" }),
  percent: fc.integer({ min: 1, max: 100 }),
  bakeTimeMs: fc.integer({ min: 0, max: 7 * 24 * 3_600_000 }),
});

const ratioGate = fc.option(fc.constantFrom(ratioGateDefaults, { ...ratioGateDefaults, marginBasisPoints: 0 }));
const gates: fc.Arbitrary<RolloutGates> = fc.record({
  applyDeadlineMs: fc.integer({ min: 1000, max: 24 * 3_600_000 }),
  appliedMinPercent: fc.integer({ min: 1, max: 100 }),
  refusedMax: count,
  lostMaxPercent: fc.nat({ max: 100 }),
  connectFailures: ratioGate,
  handshakeFailures: ratioGate,
  healthyServersMinPercent: fc.nat({ max: 100 }),
});

/** What a rollout goes by: its waves take every node, and no wave is without any. */
const staged: fc.Arbitrary<StagedRelease> = fc.record({
  waves: fc.array(wave, { maxLength: 4 }).map((waves) => {
    const all = [...waves, wholeFleet];
    return all.filter((later, at) => !all.slice(0, at).some((earlier) => takesAllOf(earlier, later)));
  }),
  gates: fc.oneof(fc.constant(rolloutGatesDefaults), gates),
  onFailure: fc.constantFrom("roll_back", "pause"),
  startAutomatically: fc.boolean(),
});

const figure: fc.Arbitrary<GateFigure> = fc.record({
  gate: fc.constantFrom(...gateNames),
  outcome: fc.constantFrom(...gateOutcomes),
  observed: share,
  limit: share,
  sample: count,
  controlSample: count,
  pValue: share,
  detail: text,
});

const judgement: fc.Arbitrary<WaveJudgement> = fc.record({
  wave: fc.nat({ max: 4 }),
  counts: fc.record({
    nodes: count,
    reachable: count,
    applied: count,
    refused: count,
    lost: count,
    crashed: count,
    different: count,
  }),
  gates: fc.array(figure, { maxLength: gateNames.length }),
});

const rollout = fc.constantFrom<RolloutName>("rollouts/r2", "rollouts/r3", "rollouts/emergency-4");
const failedGate = fc.option(fc.constantFrom(...gateNames));

/** An event about a rollout, of a commit at `revision`; not one that any decider would come to. */
export function arbitraryReleaseEvent(revision: number): fc.Arbitrary<ReleaseEvent> {
  const found = fc.option(judgement);
  const promoted = fc.boolean();
  return fc.oneof(
    { weight: 3, arbitrary: arbitraryStart(revision) },
    {
      weight: 3,
      arbitrary: fc.record({
        type: fc.constant("wave_released" as const),
        rollout,
        wave: fc.nat({ max: 4 }),
        judgement: found,
        promoted,
      }),
    },
    fc.record({ type: fc.constant("rollout_paused" as const), rollout, failedGate, judgement: found }),
    fc.record({ type: fc.constant("rollout_resumed" as const), rollout }),
    fc.record({ type: fc.constant("rollout_completed" as const), rollout, judgement: found, promoted }),
    fc.record({ type: fc.constant("rollout_aborted" as const), rollout }),
    fc.record({ type: fc.constant("rollout_rolled_back" as const), rollout, failedGate, judgement: found }),
  );
}

/** As a rollout begins. */
function begun(revision: number): fc.Arbitrary<readonly ReleaseEvent[]> {
  return arbitraryStart(revision).map((started) => [
    started,
    { type: "wave_released", rollout: started.rollout, wave: 0, judgement: null, promoted: false },
  ]);
}

function arbitraryStart(revision: number): fc.Arbitrary<Extract<ReleaseEvent, { type: "rollout_started" }>> {
  const start = fc.record({
    targetRevision: fc.nat({ max: revision - 1 }),
    targetDigest: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    policy: fc.constantFrom(null, defaultRolloutPolicy, "rolloutPolicies/slow" as const),
    staged,
    emergency: fc.boolean(),
  });
  return fc.record({ type: fc.constant("rollout_started"), rollout, start });
}

/** A commit with these events. */
export function commitOf(revision: number, events: readonly LogEvent[], parentHash = new Uint8Array(0)): Commit {
  const requestDigest = new Uint8Array(32).fill(revision);
  const told = { author: "ann", reason: `change ${revision}`, timeMs: 1000 * revision };
  return { epoch: 1, revision, parentHash, requestId: `request-${revision}`, requestDigest, ...told, events };
}

/** Any log: changes of the configuration, of the policy, and events about rollouts, in any order. */
export const arbitraryHistory: fc.Arbitrary<readonly Commit[]> = fc
  .integer({ min: 0, max: 12 })
  .chain((length) =>
    fc.tuple(
      ...Array.from({ length }, (_, index) =>
        fc
          .oneof(
            fc.array(configEvent, { maxLength: 3 }),
            fc.array(arbitraryReleaseEvent(index + 1), { minLength: 1, maxLength: 3 }),
            begun(index + 1),
          )
          .map((events: readonly LogEvent[]) => commitOf(index + 1, events)),
      ),
    ),
  );

const configEvent: fc.Arbitrary<LogEvent> = fc.oneof(
  arbitraryResource.map((resource): LogEvent => ({ type: "created", resource })),
  arbitraryResource.map(({ name }): LogEvent => ({ type: "deleted", name })),
  fc.option(staged).map(
    (each): LogEvent => ({
      type: "updated",
      resource: { kind: "rolloutPolicy", name: defaultRolloutPolicy, staged: each },
    }),
  ),
);
