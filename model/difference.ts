import type { Change } from "./configuration.ts";
import { canonicalText } from "./resource-fields.ts";
import type { ResourceName } from "./resource-name.ts";
import type { Resource } from "./resource.ts";

/** A set of resources by name, as `Configuration` and a command's wish both are. */
export interface ResourceSet {
  resources(): Iterable<Resource>;
  resource(name: ResourceName): Resource | undefined;
}

/** What must change to get from one configuration to another, in the order of the target, deletions last. */
export function difference(from: ResourceSet, to: ResourceSet): readonly Change[] {
  const changes: Change[] = [];
  // A node that starts has nothing yet: then no name needs to be looked up, nor even read.
  if (from.resources()[Symbol.iterator]().next().done === true) {
    for (const after of to.resources()) changes.push({ before: null, after });
    return changes;
  }
  for (const after of to.resources()) {
    const before = from.resource(after.name) ?? null;
    if (before === null || canonicalText(before) !== canonicalText(after)) changes.push({ before, after });
  }
  for (const before of from.resources())
    if (to.resource(before.name) === undefined) changes.push({ before, after: null });
  return changes;
}
