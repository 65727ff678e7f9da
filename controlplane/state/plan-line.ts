import type { Change } from "../../model/configuration.ts";
import type { ConfigEvent } from "../../model/event.ts";
import { changedFields } from "../../model/resource-fields.ts";
import type { ResourceName } from "../../model/resource-name.ts";
import type { Resource } from "../../model/resource.ts";

/** One resource that a command changes. */
export interface PlanLine {
  readonly verb: "create" | "update" | "delete";
  readonly name: ResourceName;
  /** As it is from now on; null once deleted. */
  readonly resource: Resource | null;
  /** Paths of the fields that an update changes. Empty in the answer to a retry, where only the outcome is known. */
  readonly fields: readonly string[];
}

export function lineOfChange({ before, after }: Change): PlanLine {
  if (after === null) {
    if (before === null) throw new RangeError("a change has a side");
    return { verb: "delete", name: before.name, resource: null, fields: [] };
  }
  if (before === null) return { verb: "create", name: after.name, resource: after, fields: [] };
  return { verb: "update", name: after.name, resource: after, fields: changedFields(before, after) };
}

export function lineOfEvent(event: ConfigEvent): PlanLine {
  if (event.type === "deleted") return { verb: "delete", name: event.name, resource: null, fields: [] };
  const verb = event.type === "created" ? "create" : "update";
  return { verb, name: event.resource.name, resource: event.resource, fields: [] };
}
