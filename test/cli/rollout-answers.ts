import { GateOutcome, RolloutState } from "../../proto/gen/switchyard/config/v1/releases.ts";
import { Rollout, WavePhase } from "../../proto/gen/switchyard/rollout/v1/rollout_service.ts";
import type { DeepPartial } from "../../proto/gen/switchyard/rollout/v1/rollout_service.ts";

/** 2026-11-22 12:51:36Z, and so many seconds. */
export const after = (seconds: number): { seconds: bigint; nanos: number } => ({
  seconds: 1_795_351_896n + BigInt(seconds),
  nanos: 0,
});

type Decision = DeepPartial<Rollout["decisions"][number]>;

export const started: Decision = {
  step: "started",
  revision: 12n,
  time: after(0),
  author: "alice",
  reason: "new shop",
};
export const firstReleased: Decision = { ...started, step: "wave_released", releasedWaves: 1 };

/** Revision 11 in three waves; the second, of two regions, applies. */
export const underWay: DeepPartial<Rollout> = {
  name: "rollouts/r12",
  state: RolloutState.ROLLOUT_STATE_RUNNING,
  targetRevision: 11n,
  policy: "rolloutPolicies/default",
  waves: [
    {
      title: "canary",
      phase: WavePhase.WAVE_PHASE_DONE,
      counts: { nodes: 5, reachable: 5, applied: 5 },
      regions: [{ region: "eu-1", counts: { nodes: 5, reachable: 5, applied: 5 } }],
    },
    {
      title: "europe",
      phase: WavePhase.WAVE_PHASE_APPLYING,
      remaining: { seconds: 252n, nanos: 0 },
      counts: { nodes: 20, reachable: 18, applied: 9, refused: 1, crashed: 1 },
      regions: [
        { region: "eu-1", counts: { nodes: 10, reachable: 10, applied: 9, refused: 1, crashed: 1 } },
        { region: "eu-2", counts: { nodes: 10, reachable: 8 } },
      ],
      gates: [
        { gate: "applied", outcome: GateOutcome.GATE_OUTCOME_WAITING, observed: 0.5, limit: 0.95, detail: "9 of 18" },
        { gate: "refused", outcome: GateOutcome.GATE_OUTCOME_PASSED, observed: 1, limit: 1 },
        {
          gate: "connect_failures",
          outcome: GateOutcome.GATE_OUTCOME_PASSED,
          observed: 0.00214,
          limit: 0.002,
          sample: 1400n,
          controlSample: 9000n,
          pValue: 0.4321,
        },
      ],
    },
    { title: "the rest", phase: WavePhase.WAVE_PHASE_PENDING, counts: { nodes: 75, reachable: 74 } },
  ],
  decisions: [
    started,
    firstReleased,
    { step: "wave_released", revision: 13n, time: after(60), author: "controller", releasedWaves: 2 },
  ],
  outlook: "18 of 20 nodes are reachable; the rest follows once 95% of those have applied and 5 minutes have passed.",
};

export const rollout = (fields: DeepPartial<Rollout> = {}): Rollout => Rollout.fromPartial({ ...underWay, ...fields });

const taken = { title: "europe", phase: WavePhase.WAVE_PHASE_CANCELLED };

const ended = (step: string, failedGate = "", reason = ""): Decision => ({
  step,
  revision: step === "paused" ? 14n : 15n,
  time: after(90),
  author: "controller",
  reason,
  failedGate,
  releasedWaves: 2,
  judgement:
    failedGate === ""
      ? undefined
      : {
          wave: 1,
          counts: { nodes: 20, reachable: 18, applied: 18 },
          gates: [
            {
              gate: failedGate,
              outcome: GateOutcome.GATE_OUTCOME_FAILED,
              observed: 0.053,
              limit: 0.0021,
              sample: 1400n,
              controlSample: 9000n,
              pValue: 0.00002,
              detail: "5.3% of connections reach no server on released nodes, 0.21% on the others",
            },
          ],
        },
});

const steps = (last: Decision): Decision[] => [...(underWay.decisions ?? []), last];
const applied = { nodes: 20, reachable: 18, applied: 18 };

export const completed = rollout({
  state: RolloutState.ROLLOUT_STATE_COMPLETED,
  waves: [{ title: "all", phase: WavePhase.WAVE_PHASE_DONE, counts: applied }],
  decisions: steps(ended("completed")),
  outlook: "",
});

export const rolledBack = rollout({
  state: RolloutState.ROLLOUT_STATE_ROLLED_BACK,
  waves: [{ ...taken, counts: { nodes: 20, reachable: 18, applied: 0 } }],
  decisions: steps(ended("rolled_back", "connect_failures")),
});

/** As above; three nodes are still there. */
export const rollingBack = rollout({
  ...rolledBack,
  waves: [{ ...taken, counts: { nodes: 20, reachable: 18, applied: 3 } }],
});

export const aborted = rollout({
  state: RolloutState.ROLLOUT_STATE_ABORTED,
  decisions: steps(ended("aborted", "", "not today")),
});

export const pausedByGate = rollout({
  state: RolloutState.ROLLOUT_STATE_PAUSED,
  decisions: steps(ended("paused", "connect_failures")),
});

export const pausedByHand = rollout({
  state: RolloutState.ROLLOUT_STATE_PAUSED,
  decisions: steps(ended("paused", "", "lunch")),
});
