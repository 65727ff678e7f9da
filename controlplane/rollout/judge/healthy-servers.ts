import { farmOf, isServerResourceName } from "../../../model/resource-name.ts";
import type { WaveBaseline } from "./wave-baseline.ts";

/** Servers that each farm has, by the farm's name. */
export type FarmSizes = ReadonlyMap<string, number>;

/** The farm that does worst on released nodes, against a floor and against what others see. */
export interface FarmHealth {
  readonly farm: string;
  readonly servers: number;
  /** Mean over nodes of the share of its servers that they see healthy. */
  readonly released: number;
  /** On nodes that are not released, or on the released ones before; null where there is neither. */
  readonly others: number | null;
  readonly releasedNodes: number;
  readonly otherNodes: number;
}

/**
 * The farm of which released nodes see the least, among those of which the others see more: where all see the same, a server is down,
 * and the release has no part in it. Undefined where there is no such farm.
 */
export function worstFarm(baseline: WaveBaseline, sizes: FarmSizes): FarmHealth | undefined {
  const released = new Failing();
  const control = new Failing();
  const before = new Failing();
  const { releasedWaves, start } = baseline.record;
  for (const { seen, wave, before: earlier } of baseline.nodes()) {
    const isReleased = wave < releasedWaves;
    if (isReleased && earlier !== null) before.add(earlier.failing);
    if (!seen.reachable) continue;
    if (!isReleased) control.add(seen.failing);
    else if (seen.revision === start.targetRevision) released.add(seen.failing);
  }
  const against = control.nodes > 0 ? control : before;
  let worst: FarmHealth | undefined;
  for (const farm of released.farms()) {
    const servers = sizes.get(farm) ?? 0;
    if (servers === 0) continue;
    const share = released.healthyShare(farm, servers);
    const others = against.nodes > 0 ? against.healthyShare(farm, servers) : null;
    if (others !== null && others <= share) continue;
    if (worst === undefined || share < worst.released)
      worst = { farm, servers, released: share, others, releasedNodes: released.nodes, otherNodes: against.nodes };
  }
  return worst;
}

/** What a group of nodes sees failing. */
class Failing {
  nodes = 0;
  readonly #byFarm = new Map<string, number>();

  add(servers: ReadonlySet<string>): void {
    this.nodes += 1;
    for (const server of servers) {
      if (!isServerResourceName(server)) continue;
      const farm = farmOf(server);
      this.#byFarm.set(farm, (this.#byFarm.get(farm) ?? 0) + 1);
    }
  }

  farms(): Iterable<string> {
    return this.#byFarm.keys();
  }

  healthyShare(farm: string, servers: number): number {
    return Math.max(0, 1 - (this.#byFarm.get(farm) ?? 0) / (this.nodes * servers));
  }
}
