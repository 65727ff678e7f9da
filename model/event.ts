import type { Resource } from "./resource.ts";
import type { ResourceName } from "./resource-name.ts";

/** Facts about the configuration. What is not understood never becomes one of these: see `wire/open-commit.ts`. */
export type ConfigEvent =
  | { readonly type: "created"; readonly resource: Resource }
  /** Carries the whole resource as it is from now on. */
  | { readonly type: "updated"; readonly resource: Resource }
  | { readonly type: "deleted"; readonly name: ResourceName };

/** The schema version that this software writes, and the newest that it understands. */
export const eventSchemaVersion = 1;
