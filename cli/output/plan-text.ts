import { Change_Verb } from "../../proto/gen/switchyard/config/v1/config_service.ts";
import type { Change, Plan } from "../../proto/gen/switchyard/config/v1/config_service.ts";
import type { CliContext } from "../context.ts";
import { paint } from "../context.ts";
import { safeText } from "./safe-text.ts";

const verbText = {
  [Change_Verb.VERB_CREATE]: { mark: "+", colour: "green", done: "created" },
  [Change_Verb.VERB_UPDATE]: { mark: "~", colour: "yellow", done: "changed" },
  [Change_Verb.VERB_DELETE]: { mark: "-", colour: "red", done: "deleted" },
} as const;

/** A line for each change: `~ farms/web   (connect_timeout)`. */
export function planLines(context: CliContext, plan: Plan): string {
  return plan.changes.map((change) => `${changeLine(context, change)}\n`).join("");
}

function changeLine(context: CliContext, change: Change): string {
  const verb = change.verb === Change_Verb.VERB_UNSPECIFIED ? undefined : verbText[change.verb];
  const fields = change.fields.length === 0 ? "" : `   (${change.fields.map(safeText).join(", ")})`;
  const line = `${verb?.mark ?? "?"} ${safeText(change.name)}`;
  return verb === undefined ? line + fields : paint(context, verb.colour, line) + fields;
}

/** `2 created, 1 changed, 40 unchanged`; `nothing to change` where that is so. */
export function planSummary(plan: Plan): string {
  const counts = Object.entries(verbText).map(([verb, { done }]) => {
    const count = plan.changes.filter((change) => change.verb === Number(verb)).length;
    return count === 0 ? [] : [`${count} ${done}`];
  });
  const changed = counts.flat();
  const unchanged = plan.unchangedCount === 0 ? [] : [`${plan.unchangedCount} unchanged`];
  return [...(changed.length === 0 ? ["nothing to change"] : changed), ...unchanged].join(", ");
}
