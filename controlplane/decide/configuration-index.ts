import type { Change, Configuration } from "../../model/configuration.ts";
import { matchKeys } from "../../model/match-key.ts";
import { farmOf, listenerOf } from "../../model/resource-name.ts";
import type { ListenerName, ResourceName, RouteName } from "../../model/resource-name.ts";
import type { Action, Match, Resource } from "../../model/resource.ts";

/**
 * What a decider must find without walking the configuration: who holds a match key, who names a farm or a server, and
 * what is inside a listener or a farm. A fold over the same changes as the configuration, kept in step by its owner.
 */
export class ConfigurationIndex {
  readonly #matchHolders = new Map<string, RouteName>();
  readonly #referrers = new Map<ResourceName, Set<ResourceName>>();
  readonly #children = new Map<ResourceName, Set<ResourceName>>();

  static of(configuration: Configuration): ConfigurationIndex {
    const index = new ConfigurationIndex();
    for (const resource of configuration.resources()) index.#enter(resource);
    return index;
  }

  apply(changes: readonly Change[]): void {
    for (const { before, after } of changes) {
      if (before !== null) this.#leave(before);
      if (after !== null) this.#enter(after);
    }
  }

  /** The route of the listener that holds a match key. */
  matchHolder(listener: ListenerName, key: string): RouteName | undefined {
    return this.#matchHolders.get(holderKey(listener, key));
  }

  /** Resources whose action, or non-TLS farm, names this one. */
  referrers(name: ResourceName): Iterable<ResourceName> {
    return this.#referrers.get(name) ?? [];
  }

  /** A listener's routes, a farm's servers. */
  children(name: ResourceName): Iterable<ResourceName> {
    return this.#children.get(name) ?? [];
  }

  #enter(resource: Resource): void {
    if (resource.kind === "route")
      for (const key of holderKeys(resource.name, resource.match)) this.#matchHolders.set(key, resource.name);
    for (const { name } of referencesOf(resource)) setOf(this.#referrers, name).add(resource.name);
    const parent = parentOf(resource);
    if (parent !== undefined) setOf(this.#children, parent).add(resource.name);
  }

  #leave(resource: Resource): void {
    if (resource.kind === "route")
      for (const key of holderKeys(resource.name, resource.match)) {
        // Another route may have taken the key in the same commit, before this one let go of it.
        if (this.#matchHolders.get(key) === resource.name) this.#matchHolders.delete(key);
      }
    for (const { name } of referencesOf(resource)) dropFrom(this.#referrers, name, resource.name);
    const parent = parentOf(resource);
    if (parent !== undefined) dropFrom(this.#children, parent, resource.name);
  }
}

/** A mention of another resource, and the field that holds it. */
export interface Reference {
  readonly field: string;
  readonly name: ResourceName;
}

/** The resources that this one names, its parent not among them. */
export function referencesOf(resource: Resource): readonly Reference[] {
  switch (resource.kind) {
    case "listener": {
      const found = actionReference(resource.defaultAction, "default_action");
      return resource.nonTlsFarm === null ? found : [...found, { field: "non_tls_farm", name: resource.nonTlsFarm }];
    }
    case "route":
      return actionReference(resource.action, "action");
    case "farm":
    case "server":
    case "rolloutPolicy":
      return [];
  }
}

/** The listener of a route, the farm of a server. */
export function parentOf(resource: Resource): ResourceName | undefined {
  switch (resource.kind) {
    case "route":
      return listenerOf(resource.name);
    case "server":
      return farmOf(resource.name);
    case "listener":
    case "farm":
    case "rolloutPolicy":
      return undefined;
  }
}

function actionReference(action: Action, field: string): readonly Reference[] {
  switch (action.to) {
    case "farm":
      return [{ field: `${field}.farm`, name: action.farm }];
    case "server":
      return [{ field: `${field}.server`, name: action.server }];
    case "reject":
      return [];
  }
}

/** One key for the listener and the match key; a listener's name has no blank. */
export function holderKey(listener: ListenerName, key: string): string {
  return `${listener} ${key}`;
}

function* holderKeys(route: RouteName, match: Match): Generator<string> {
  const listener = listenerOf(route);
  for (const key of matchKeys(match)) yield holderKey(listener, key);
}

function setOf(map: Map<ResourceName, Set<ResourceName>>, name: ResourceName): Set<ResourceName> {
  let set = map.get(name);
  if (set === undefined) map.set(name, (set = new Set()));
  return set;
}

function dropFrom(map: Map<ResourceName, Set<ResourceName>>, name: ResourceName, member: ResourceName): void {
  const set = map.get(name);
  set?.delete(member);
  if (set?.size === 0) map.delete(name);
}
