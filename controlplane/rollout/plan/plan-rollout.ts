import type { Configuration } from "../../../model/configuration.ts";
import { difference } from "../../../model/difference.ts";
import type { RolloutWave } from "../../../model/rollout-policy.ts";
import type { Refusal } from "../../decide/command.ts";
import { lineOfChange } from "../../state/plan-line.ts";
import type { NodeObservation } from "../node-observation.ts";
import { plannedWaves } from "./planned-waves.ts";
import { rerouted } from "./rerouted.ts";
import type { RolloutPlan } from "./rollout-plan.ts";
import type { SampledHello } from "./sampled-hello.ts";
import { touchedConnections } from "./touched-connections.ts";

export interface PlanInput {
  /** What nodes run now that no earlier rollout left behind. */
  readonly base: Configuration;
  readonly target: Configuration;
  /** Complete and with titles, as the start of the rollout would have them. */
  readonly waves: readonly RolloutWave[];
  readonly nodes: readonly Pick<NodeObservation, "identity" | "reachable">[];
  /** Live connections of all nodes by server; by listener too, where that is known. */
  readonly connections: ReadonlyMap<string, number>;
  readonly hellos: readonly SampledHello[];
  /** What the decider answers to a start now; null where it would begin. */
  readonly refusal: Refusal | null;
}

/** What a rollout would do, and what is in its way. Reads each configuration once, however many hellos there are. */
export function planRollout({ base, target, waves, nodes, connections, hellos, refusal }: PlanInput): RolloutPlan {
  const changes = difference(base, target);
  const put = changes.filter(({ after }) => after !== null).length;
  return {
    changes: changes.map(lineOfChange),
    unchangedCount: target.size - put,
    waves: plannedWaves(waves, nodes),
    touched: touchedConnections(changes, base, target, connections),
    ...rerouted(base, target, hellos),
    obstacle: refusal === null ? "" : refusal.violations.map(({ description }) => description).join("; "),
  };
}
