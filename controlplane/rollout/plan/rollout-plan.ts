import type { RolloutWave } from "../../../model/rollout-policy.ts";
import type { ListenerName, ServerResourceName } from "../../../model/resource-name.ts";
import type { PlanLine } from "../../state/plan-line.ts";
import type { SampledHello } from "./sampled-hello.ts";

/** What a rollout would do. */
export interface RolloutPlan {
  readonly changes: readonly PlanLine[];
  /** Resources of the target that are as they were. */
  readonly unchangedCount: number;
  readonly waves: readonly PlannedWave[];
  /** In the order of the changes. */
  readonly touched: readonly TouchedConnections[];
  /** The most frequent first; at most {@link shownHellosMax}. */
  readonly hellos: readonly RoutedDifferently[];
  /** Connections of the sample that would go elsewhere, of {@link hellosSampled}. */
  readonly hellosChanged: number;
  readonly hellosSampled: number;
  /** What stands in the way of starting it now, in sentences; empty where nothing does. */
  readonly obstacle: string;
}

export const shownHellosMax = 100;

export interface PlannedWave {
  readonly title: string;
  readonly wave: RolloutWave;
  /** Ids, sorted; the first {@link shownNodesMax}. */
  readonly nodes: readonly string[];
  readonly nodeCount: number;
  /** Of those. */
  readonly unreachableCount: number;
}

export const shownNodesMax = 1000;

/** Live connections of all nodes to a server that the plan changes or deletes, or through a listener that it deletes. */
export interface TouchedConnections {
  readonly name: ServerResourceName | ListenerName;
  readonly connections: number;
  /** Otherwise they are left alone. */
  readonly closed: boolean;
  /** In a sentence. */
  readonly detail: string;
}

export interface RoutedDifferently {
  readonly hello: SampledHello;
  /** `listeners/edge/routes/shop -> farms/web`, `default -> reject unrecognized_name`, `no listener`. */
  readonly before: string;
  readonly after: string;
}
