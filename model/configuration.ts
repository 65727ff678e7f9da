import type { Commit, Position } from "./commit.ts";
import { origin } from "./commit.ts";
import { Digest } from "./digest.ts";
import type { ConfigEvent } from "./event.ts";
import { kindOfName } from "./resource-name.ts";
import type { FarmName, ListenerName, ResourceName, RouteName, ServerResourceName } from "./resource-name.ts";
import type { Farm, Listener, Resource, Route, Server } from "./resource.ts";
import { atOnce, type Steps } from "./steps.ts";

/** Events that are folded between two places where others may run: about a millisecond. */
const eventsPerStep = 100;

/** What one event did to one resource; null stands for "not there". Never both null. */
export interface Change {
  readonly before: Resource | null;
  readonly after: Resource | null;
}

/**
 * The configuration at a revision: a fold over commits, with a position. It is changed in place, as a million
 * resources are not copied for each commit; its owner is whoever made it, and nobody else holds on to it across turns.
 */
export class Configuration {
  readonly listeners: ReadonlyMap<ListenerName, Listener>;
  readonly routes: ReadonlyMap<RouteName, Route>;
  readonly farms: ReadonlyMap<FarmName, Farm>;
  readonly servers: ReadonlyMap<ServerResourceName, Server>;
  readonly #maps = {
    listener: new Map<string, Resource>(),
    route: new Map<string, Resource>(),
    farm: new Map<string, Resource>(),
    server: new Map<string, Resource>(),
  };
  readonly #digest = new Digest();
  #position: Position = origin;

  constructor() {
    this.listeners = this.#maps.listener as Map<ListenerName, Listener>;
    this.routes = this.#maps.route as Map<RouteName, Route>;
    this.farms = this.#maps.farm as Map<FarmName, Farm>;
    this.servers = this.#maps.server as Map<ServerResourceName, Server>;
  }

  /** The configuration that a snapshot holds. */
  static restore(position: Position, resources: Iterable<Resource>): Configuration {
    const configuration = new Configuration();
    for (const resource of resources) configuration.#put(resource);
    configuration.#position = position;
    return configuration;
  }

  get position(): Position {
    return this.#position;
  }

  /** 32 bytes; equal on everyone who folded the same log to the same revision. */
  get digest(): Uint8Array {
    return this.#digest.bytes();
  }

  get size(): number {
    return this.listeners.size + this.routes.size + this.farms.size + this.servers.size;
  }

  resource(name: ResourceName): Resource | undefined {
    const kind = kindOfName(name);
    return kind && this.#maps[kind].get(name);
  }

  /** All resources: farms and servers before the listeners and routes that name them. */
  *resources(): Generator<Resource> {
    yield* this.#maps.farm.values();
    yield* this.#maps.server.values();
    yield* this.#maps.listener.values();
    yield* this.#maps.route.values();
  }

  /** The same as {@link applying}, at once. */
  apply(commit: Commit, position: Position): readonly Change[] {
    return atOnce(this.applying(commit, position));
  }

  /**
   * Folds one commit in; `position` is where it stands. Total: an event that creates what exists replaces it, and one
   * that deletes what is not there changes nothing, so that a log written by a faulty decider still folds the same for
   * everyone. In steps: until the last one, what the configuration holds is neither the old state nor the new, and only
   * its owner may look.
   */
  *applying(commit: Commit, position: Position): Steps<readonly Change[]> {
    const changes: Change[] = [];
    for (const [index, event] of commit.events.entries()) {
      if (index % eventsPerStep === eventsPerStep - 1) yield;
      const change = this.#evolve(event);
      if (change.before !== null || change.after !== null) changes.push(change);
    }
    this.#position = position;
    return changes;
  }

  #evolve(event: ConfigEvent): Change {
    switch (event.type) {
      case "created":
      case "updated":
        return { before: this.#put(event.resource), after: event.resource };
      case "deleted":
        return { before: this.#delete(event.name), after: null };
    }
  }

  #put(resource: Resource): Resource | null {
    const map = this.#maps[resource.kind];
    const before = map.get(resource.name) ?? null;
    if (before !== null) this.#digest.remove(before);
    map.set(resource.name, resource);
    this.#digest.add(resource);
    return before;
  }

  #delete(name: ResourceName): Resource | null {
    const before = this.resource(name) ?? null;
    if (before === null) return null;
    this.#maps[before.kind].delete(name);
    this.#digest.remove(before);
    return before;
  }
}
