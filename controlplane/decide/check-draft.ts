import { type SocketAddress, splitSocketAddress } from "../../model/address.ts";
import { matchKeys } from "../../model/match-key.ts";
import { type ListenerName, listenerOf, type RouteName } from "../../model/resource-name.ts";
import type { Listener, Resource, Route } from "../../model/resource.ts";
import type { Violation, ViolationReason } from "../../model/violation.ts";
import { checkFamilies } from "./check-families.ts";
import { type ConfigurationIndex, holderKey, parentOf, referencesOf } from "./configuration-index.ts";
import type { Draft, DraftEntry } from "./draft.ts";

/** Everything that is wrong with a draft as a whole; each resource alone has been parsed already. */
export function checkDraft(draft: Draft, index: ConfigurationIndex): readonly Violation[] {
  const violations: Violation[] = [];
  const takenKeys = new Map<string, RouteName>();
  let listenersTouched = false;
  for (const entry of draft.entries.values()) {
    const { after, before } = entry;
    if (after === null) {
      checkUnused(before as Resource, entry, draft, index, violations);
      continue;
    }
    checkReferences(after, entry, draft, violations);
    if (after.kind === "route") checkTies(after, entry, draft, index, takenKeys, violations);
    if (after.kind === "listener") listenersTouched = true;
  }
  if (listenersTouched) checkAddresses(draft, violations);
  checkFamilies(draft, index, violations);
  return violations;
}

function refuse(
  violations: Violation[],
  entry: DraftEntry,
  field: string,
  reason: ViolationReason,
  description: string,
): void {
  violations.push({ field: entry.path === "" ? field : `${entry.path}.${field}`, reason, description });
}

function checkReferences(after: Resource, entry: DraftEntry, draft: Draft, violations: Violation[]): void {
  const parent = parentOf(after);
  if (parent !== undefined && draft.resource(parent) === undefined)
    refuse(violations, entry, "name", "unknown_reference", `there is no ${parent}`);
  for (const { field, name } of referencesOf(after))
    if (draft.resource(name) === undefined)
      refuse(violations, entry, field, "unknown_reference", `${after.name} names ${name}, which does not exist`);
}

/** What goes away must not be named, or lived in, by anything that the draft leaves as it is. */
function checkUnused(
  before: Resource,
  entry: DraftEntry,
  draft: Draft,
  index: ConfigurationIndex,
  violations: Violation[],
): void {
  // Entries are checked by their own references; here only what stays untouched matters.
  const users = [...index.referrers(before.name)].filter((name) => !draft.entries.has(name));
  if (users.length > 0) refuse(violations, entry, "name", "in_use", `${before.name} is named by ${listed(users)}`);
  const inside = [...index.children(before.name)].filter((name) => !draft.entries.has(name));
  if (inside.length > 0)
    refuse(violations, entry, "name", "in_use", `${before.name} still has ${listed(inside)}; force deletes them too`);
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(", ");
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}

/** Two routes of a listener that hold the same match key would tie: the second is refused. */
function checkTies(
  route: Route,
  entry: DraftEntry,
  draft: Draft,
  index: ConfigurationIndex,
  taken: Map<string, RouteName>,
  violations: Violation[],
): void {
  const listener: ListenerName = listenerOf(route.name);
  for (const key of matchKeys(route.match)) {
    const inDraft = taken.get(holderKey(listener, key));
    const stored = index.matchHolder(listener, key);
    const holder = inDraft ?? (stored !== undefined && !draft.entries.has(stored) ? stored : undefined);
    if (holder !== undefined && holder !== route.name) {
      // One line a pair is enough: routes that share a key often share many.
      refuse(violations, entry, "match", "conflict", `${route.name} and ${holder} would both match ${key}`);
      return;
    }
    taken.set(holderKey(listener, key), route.name);
  }
}

/** No two listeners may bind addresses that the system could not bind at once. */
function checkAddresses(draft: Draft, violations: Violation[]): void {
  const byPort = new Map<number, { readonly address: SocketAddress; readonly listener: Listener }[]>();
  // Those that stay first, so that the violation is the newcomer's.
  const listeners = [...draft.listeners()].sort(
    (left, right) => Number(draft.touches(left.name)) - Number(draft.touches(right.name)),
  );
  for (const listener of listeners)
    for (const [position, address] of listener.addresses.entries()) {
      const { port } = splitSocketAddress(address);
      const others = byPort.get(port) ?? [];
      const clash = others.find((other) => overlap(other.address, address));
      const entry = draft.entries.get(listener.name);
      if (clash !== undefined && entry !== undefined) {
        const description = `${address} can't be bound beside ${clash.address} of ${clash.listener.name}`;
        refuse(violations, entry, `addresses[${position}]`, "conflict", description);
      }
      byPort.set(port, [...others, { address, listener }]);
    }
}

/** The same port is given; IPv6 wildcards bind IPv6 only, so families never overlap. */
function overlap(left: SocketAddress, right: SocketAddress): boolean {
  const [one, other] = [splitSocketAddress(left).host, splitSocketAddress(right).host];
  if (one.includes(":") !== other.includes(":")) return false;
  const wildcard = one.includes(":") ? "::" : "0.0.0.0";
  return one === other || one === wildcard || other === wildcard;
}
