import { bakeTimeDefaultMs } from "../../model/rollout-policy.ts";
import { OnGateFailure } from "../../proto/gen/switchyard/config/v1/resources.ts";
import type { RolloutWave, StagedRelease } from "../../proto/gen/switchyard/config/v1/resources.ts";
import { durationText } from "./duration-text.ts";

/** What a table says of a policy, after its name: strategy, waves, bake times, what a failed gate does, how rollouts start. */
export function policyCells(staged: StagedRelease | undefined): readonly string[] {
  if (staged === undefined) return ["immediate", "", "", "", ""];
  const waves = staged.waves.map(selectorText);
  const bakes = staged.waves.map(({ bakeTime }) => durationText(bakeTime) || bakeDefault);
  // Nodes that no wave takes have a last one of their own.
  const complete = waves.includes(restText);
  return [
    "staged",
    [...waves, ...(complete ? [] : [restText])].join(" | "),
    [...bakes, ...(complete ? [] : [bakeDefault])].join(" | "),
    failureText(staged.onFailure),
    staged.startAutomatically ? "automatically" : "by hand",
  ];
}

const restText = "rest";
const bakeDefault = `${bakeTimeDefaultMs / 60_000}m`;

/** Which nodes a wave takes: `5%`, `eu-west,eu-north`, `5% of eu-west tier=canary`, or `rest` where it takes any. */
export function selectorText({
  regions,
  labels,
  percent,
}: Pick<RolloutWave, "regions" | "labels" | "percent">): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  const nodes = [...(regions.length === 0 ? [] : [regions.join(",")]), ...pairs].join(" ");
  // Left out, it is all of them.
  const share = percent === 0 || percent >= 100 ? "" : `${percent}%`;
  if (nodes === "") return share || restText;
  return share === "" ? nodes : `${share} of ${nodes}`;
}

export function failureText(onFailure: OnGateFailure): string {
  switch (onFailure) {
    case OnGateFailure.ON_GATE_FAILURE_PAUSE:
      return "pause";
    case OnGateFailure.ON_GATE_FAILURE_ROLL_BACK:
    case OnGateFailure.ON_GATE_FAILURE_UNSPECIFIED:
      return "roll back";
  }
}
