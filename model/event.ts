import { isHostAddress } from "./address.ts";
import { hasAddedFields } from "./resource-fields.ts";
import type { Resource } from "./resource.ts";
import type { ResourceName } from "./resource-name.ts";

/** Facts about the configuration. What is not understood never becomes one of these: see `wire/open-commit.ts`. */
export type ConfigEvent =
  | { readonly type: "created"; readonly resource: Resource }
  /** Carries the whole resource as it is from now on. */
  | { readonly type: "updated"; readonly resource: Resource }
  | { readonly type: "deleted"; readonly name: ResourceName };

/** The newest schema version that this software understands. */
export const eventSchemaVersion = 2;

/**
 * The schema version that an event is written with: the first that has all that it says, so that nodes of an older version
 * follow for as long as nothing is used that they do not know. 2: what `hasAddedFields` finds.
 */
export function schemaVersionOf(event: ConfigEvent): number {
  if (event.type === "deleted" || event.resource.kind === "route") return 1;
  const { resource } = event;
  const balanceIsNew = resource.kind === "farm" && resource.balance !== "round_robin";
  const addressIsNew = resource.kind === "server" && isHostAddress(resource.address);
  return balanceIsNew || addressIsNew || hasAddedFields(resource) ? 2 : 1;
}
