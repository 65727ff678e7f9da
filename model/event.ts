import { isHostAddress } from "./address.ts";
import type { ReleaseEvent } from "./release-event.ts";
import { fieldsVersionOf } from "./resource-fields.ts";
import type { Resource } from "./resource.ts";
import { kindOfName, type ResourceName } from "./resource-name.ts";

/** Facts about the configuration. What is not understood never becomes one of these: see `wire/commit.ts`. */
export type ConfigEvent =
  | { readonly type: "created"; readonly resource: Resource }
  /** Carries the whole resource as it is from now on. */
  | { readonly type: "updated"; readonly resource: Resource }
  | { readonly type: "deleted"; readonly name: ResourceName };

/** A fact of the log. */
export type LogEvent = ConfigEvent | ReleaseEvent;

export function isConfigEvent(event: LogEvent): event is ConfigEvent {
  return event.type === "created" || event.type === "updated" || event.type === "deleted";
}

/** The newest schema version that this software understands. */
export const eventSchemaVersion = 3;

/**
 * The schema version that an event is written with: the first that has all that it says, so that nodes of an older version
 * follow for as long as nothing is used that they do not know. 2: what `fieldsVersionOf` finds, other ways to balance, servers by
 * name. 3: rollouts and their policies.
 */
export function schemaVersionOf(event: LogEvent): number {
  if (!isConfigEvent(event)) return 3;
  if (event.type === "deleted") return kindOfName(event.name) === "rolloutPolicy" ? 3 : 1;
  const { resource } = event;
  if (resource.kind === "rolloutPolicy") return 3;
  if (resource.kind === "route") return 1;
  const balanceIsNew = resource.kind === "farm" && resource.balance !== "round_robin";
  const addressIsNew = resource.kind === "server" && isHostAddress(resource.address);
  return Math.max(balanceIsNew || addressIsNew ? 2 : 1, fieldsVersionOf(resource));
}
