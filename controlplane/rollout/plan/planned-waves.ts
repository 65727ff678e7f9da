import { type RolloutWave, waveOf, waveTitle } from "../../../model/rollout-policy.ts";
import type { NodeObservation } from "../node-observation.ts";
import { type PlannedWave, shownNodesMax } from "./rollout-plan.ts";

/** Which node each wave would take: one that several select is the first one's. */
export function plannedWaves(
  waves: readonly RolloutWave[],
  nodes: readonly Pick<NodeObservation, "identity" | "reachable">[],
): readonly PlannedWave[] {
  const taken = waves.map(() => ({ ids: [] as string[], unreachableCount: 0 }));
  for (const { identity, reachable } of nodes) {
    const wave = taken[waveOf(waves, identity) ?? -1];
    if (wave === undefined) continue;
    wave.ids.push(identity.id);
    if (!reachable) wave.unreachableCount += 1;
  }
  return waves.map((wave, index) => {
    const { ids, unreachableCount } = taken[index] ?? { ids: [], unreachableCount: 0 };
    const shown = ids.sort().slice(0, shownNodesMax);
    return { title: waveTitle(wave, index), wave, nodes: shown, nodeCount: ids.length, unreachableCount };
  });
}
