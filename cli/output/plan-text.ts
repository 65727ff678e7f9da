import { Change_Verb } from "../../proto/gen/switchyard/config/v1/config_service.ts";
import type { Change, Plan } from "../../proto/gen/switchyard/config/v1/config_service.ts";
import type { CliContext } from "../context.ts";
import { paint } from "../context.ts";
import { safeText } from "./safe-text.ts";

const verbText = {
  [Change_Verb.VERB_CREATE]: { mark: "+", colour: "green", done: "created", planned: "to create" },
  [Change_Verb.VERB_UPDATE]: { mark: "~", colour: "yellow", done: "changed", planned: "to change" },
  [Change_Verb.VERB_DELETE]: { mark: "-", colour: "red", done: "deleted", planned: "to delete" },
} as const;

/** A line for each change: `~ farms/web   (connect_timeout)`. */
export function planLines(context: CliContext, plan: Plan): string {
  return plan.changes.map((change) => `${changeLine(context, change)}\n`).join("");
}

function changeLine(context: CliContext, change: Change): string {
  const verb = change.verb === Change_Verb.VERB_UNSPECIFIED ? undefined : verbText[change.verb];
  const fields =
    change.fields.length === 0 ? "" : `   (${change.fields.map((field) => safeText(asInFiles(field))).join(", ")})`;
  const line = `${verb?.mark ?? "?"} ${safeText(change.name)}`;
  return verb === undefined ? line + fields : paint(context, verb.colour, line) + fields;
}

/** The API's paths are in proto names; files mostly have the JSON names: `match.server_names` to `match.serverNames`. */
function asInFiles(path: string): string {
  return path.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** `2 created, 1 changed, 40 unchanged`; `2 to create` before it is done; `nothing to change` where that is so. */
export function planSummary(plan: Plan, tense: "done" | "planned"): string {
  const counts = Object.entries(verbText).map(([verb, words]) => {
    const count = plan.changes.filter((change) => change.verb === Number(verb)).length;
    return count === 0 ? [] : [`${count} ${words[tense]}`];
  });
  const changed = counts.flat();
  const unchanged = plan.unchangedCount === 0 ? [] : [`${plan.unchangedCount} unchanged`];
  return [...(changed.length === 0 ? ["nothing to change"] : changed), ...unchanged].join(", ");
}
