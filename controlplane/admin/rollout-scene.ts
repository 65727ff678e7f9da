import { activeRollout, type Releases } from "../../model/releases.ts";
import {
  isRolloutName,
  isRolloutPolicyName,
  type RolloutName,
  type RolloutPolicyName,
} from "../../model/resource-name.ts";
import { isActive, type RolloutRecord } from "../../model/rollout-record.ts";
import type { WaveJudgement } from "../../model/release-event.ts";
import type { Rollout } from "../../proto/gen/switchyard/rollout/v1/rollout_service.ts";
import type { FleetView } from "../fleet/fleet-view.ts";
import { observeFleet } from "../fleet/observe-fleet.ts";
import { countByRegion } from "../rollout/judge/count-wave.ts";
import type { RolloutController } from "../rollout/rollout-controller.ts";
import type { RolloutSight } from "../rollout/rollout-sight.ts";
import type { LiveConfiguration } from "../state/live-configuration.ts";
import { Refused } from "./refused.ts";
import { rolloutMessage } from "./rollout-message.ts";

/** What rollouts are told from: the log's fold, the nodes, and what the controller of this replica sees. */
export interface SceneParts {
  readonly live: Pick<LiveConfiguration, "configuration">;
  readonly view: FleetView;
  readonly controller: Pick<RolloutController, "current" | "baseline">;
}

interface Shown {
  readonly sequence: number;
  readonly record: RolloutRecord;
  readonly sight: RolloutSight | undefined;
  readonly message: Rollout;
}

/** Rollouts as they stand now. */
export class RolloutScene {
  readonly #parts: SceneParts;
  /** The message made last: all who watch one rollout share it, as each costs a look at every node. */
  #shown: Shown | undefined;

  constructor(parts: SceneParts) {
    this.#parts = parts;
  }

  get releases(): Releases {
    return this.#parts.live.configuration.releases;
  }

  /** The named one; of the empty name the one that is under way, or else the newest. Throws {@link Refused} where there is none. */
  find(name: string): RolloutRecord {
    const wanted = rolloutNameOf(name);
    const { rollouts } = this.releases;
    const record = wanted === null ? rollouts.at(-1) : rollouts.find((each) => each.name === wanted);
    if (record !== undefined) return record;
    const description = wanted === null ? "no rollout was ever started" : `there is no ${wanted}`;
    throw Refused.by("NOT_FOUND", [{ field: "name", reason: "unknown_reference", description }]);
  }

  /** With the nodes as they are now. */
  show(record: RolloutRecord): Rollout {
    const { view, controller } = this.#parts;
    const { sequence } = view;
    const sight = this.#sightOf(record);
    const shown = this.#shown;
    if (shown?.sequence === sequence && shown.record === record && shown.sight === sight) return shown.message;
    const nodes = observeFleet(view);
    const { baseline } = controller;
    const message = rolloutMessage(record, { sight, regions: (wave) => countByRegion(record, wave, nodes, baseline) });
    this.#shown = { sequence, record, sight, message };
    return message;
  }

  /** In a list: those that have ended are told as they were decided, as counting nodes anew for each is much work. */
  outline(record: RolloutRecord): Rollout {
    return isActive(record) ? this.show(record) : rolloutMessage(record, { sight: undefined, regions: undefined });
  }

  /** The figures by which an operator decides now; null where this replica watches no such rollout. */
  judgementOf(name: RolloutName | null, releases: Releases): WaveJudgement | null {
    const active = activeRollout(releases);
    if (active === undefined || (name !== null && name !== active.name)) return null;
    return this.#sightOf(active)?.judgement ?? null;
  }

  /** The rollout is over, and every reachable node serves what it should. */
  isSettled(record: RolloutRecord): boolean {
    if (isActive(record)) return false;
    for (const node of this.#parts.view.shown())
      if (node.connected && Number(node.report?.revision ?? -1n) !== node.effectiveRevision(this.releases))
        return false;
    return true;
  }

  /** Sights lag behind the record for a moment: what was seen of another wave is nobody's. */
  #sightOf({ name, releasedWaves }: RolloutRecord): RolloutSight | undefined {
    const sight = this.#parts.controller.current();
    return sight?.rollout === name && sight.wave === releasedWaves - 1 ? sight : undefined;
  }
}

/** Null for the empty name. */
export function rolloutNameOf(name: string): RolloutName | null {
  if (name === "") return null;
  if (isRolloutName(name)) return name;
  throw malformed("name", name, "rollouts/{rollout}");
}

/** Null for the empty name. */
export function rolloutPolicyNameOf(name: string): RolloutPolicyName | null {
  if (name === "") return null;
  if (isRolloutPolicyName(name)) return name;
  throw malformed("policy", name, "rolloutPolicies/{policy}");
}

function malformed(field: string, name: string, shape: string): Refused {
  const description = `${JSON.stringify(name.slice(0, 80))} is no such name: ${shape}`;
  return Refused.by("INVALID_FIELD", [{ field, reason: "malformed", description }]);
}
