import type { Change } from "../../model/configuration.ts";
import type { ResourceName } from "../../model/resource-name.ts";
import type { Steps } from "../../model/steps.ts";

/** Looked at between two places where others may run: well below a millisecond. */
const changesPerStep = 1000;

/**
 * What the changes of one commit come to, each resource once: from what it was before the commit to what it is after.
 * A resource that is deleted and created anew in one commit never was away, and must not lose its sockets; one that is
 * created and deleted never was there. In steps: a commit may hold 100,000 changes.
 */
export function* netChanges(changes: readonly Change[]): Steps<readonly Change[]> {
  const net = new Map<ResourceName, Change>();
  for (const [index, change] of changes.entries()) {
    if (index % changesPerStep === changesPerStep - 1) yield;
    const resource = change.after ?? change.before;
    if (resource === null) continue;
    const earlier = net.get(resource.name);
    net.set(resource.name, earlier === undefined ? change : { before: earlier.before, after: change.after });
  }
  if (net.size === changes.length) return changes;
  return [...net.values()].filter(({ before, after }) => before !== null || after !== null);
}
