import type { Change } from "../../model/configuration.ts";
import type { ResourceName } from "../../model/resource-name.ts";

/**
 * What the changes of one commit come to, each resource once: from what it was before the commit to what it is after.
 * A resource that is deleted and created anew in one commit never was away, and must not lose its sockets; one that is
 * created and deleted never was there.
 */
export function netChanges(changes: readonly Change[]): readonly Change[] {
  const net = new Map<ResourceName, Change>();
  for (const change of changes) {
    const resource = change.after ?? change.before;
    if (resource === null) continue;
    const earlier = net.get(resource.name);
    net.set(resource.name, earlier === undefined ? change : { before: earlier.before, after: change.after });
  }
  if (net.size === changes.length) return changes;
  return [...net.values()].filter(({ before, after }) => before !== null || after !== null);
}
