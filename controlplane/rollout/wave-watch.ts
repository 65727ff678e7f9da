import type { ReleasedRevisions } from "../../model/releases.ts";
import type { RolloutRecord } from "../../model/rollout-record.ts";
import type { FarmSizes } from "./judge/healthy-servers.ts";
import { type JudgedWave, judgeWave, releasedAt, type WaveMemory } from "./judge/judge-wave.ts";
import { WaveBaseline } from "./judge/wave-baseline.ts";
import type { NodeObservation } from "./node-observation.ts";

/** What a replica remembers of the wave that was released last, from when it saw the release. */
export class WaveWatch {
  readonly baseline: WaveBaseline;
  readonly #began: number;
  #memory: WaveMemory;

  /** `earlier` is what was watched before. */
  constructor(
    record: RolloutRecord,
    prior: ReleasedRevisions,
    nodes: readonly NodeObservation[],
    nowMs: number,
    earlier: WaveWatch | undefined,
  ) {
    this.#began = beginningOf(record);
    this.baseline = new WaveBaseline(record, prior, nodes, earlier?.baseline);
    this.#memory = releasedAt(nowMs);
  }

  /** Whether this is what is to be watched of a rollout: after each release, and each resumption, it is something new. */
  isOf(record: RolloutRecord): boolean {
    return record.name === this.baseline.record.name && beginningOf(record) === this.#began;
  }

  judge(nodes: readonly NodeObservation[], farms: FarmSizes, nowMs: number): JudgedWave {
    this.baseline.observe(nodes);
    const judged = judgeWave(this.baseline, farms, this.#memory, nowMs);
    this.#memory = judged.memory;
    return judged;
  }
}

/** The revision with which the present wave's watch begins. */
function beginningOf({ decisions }: RolloutRecord): number {
  const begins: ReadonlySet<string> = new Set(["started", "wave_released", "resumed"]);
  return decisions.findLast(({ step }) => begins.has(step))?.revision ?? 0;
}
