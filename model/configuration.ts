import type { Commit, Position } from "./commit.ts";
import { origin, sameBytes } from "./commit.ts";
import { Digest } from "./digest.ts";
import { type ConfigEvent, isConfigEvent } from "./event.ts";
import { nothingReleased, releasedToAll, type Releases, releasesAfter } from "./releases.ts";
import { kindOfName } from "./resource-name.ts";
import type {
  FarmName,
  ListenerName,
  ResourceKind,
  ResourceName,
  RolloutPolicyName,
  RouteName,
  ServerResourceName,
} from "./resource-name.ts";
import type { Farm, Listener, Resource, RolloutPolicy, Route, Server } from "./resource.ts";
import { atOnce, type Steps } from "./steps.ts";

/** Events that are folded between two places where others may run: about a millisecond. */
const eventsPerStep = 100;

/** The same of resources that are read and hashed. */
const resourcesPerStep = 50;

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
  readonly #maps = {
    listener: new Map<string, Resource>(),
    route: new Map<string, Resource>(),
    farm: new Map<string, Resource>(),
    server: new Map<string, Resource>(),
    rolloutPolicy: new Map<string, Resource>(),
  };
  #digest = new Digest();
  #position: Position = origin;
  #releases = nothingReleased;
  /** What a stored snapshot has, and is not in the maps yet; until anything is asked by its name, or changed. */
  #stored: readonly Resource[] = [];
  /** What {@link proving} has yet to compare. */
  #unproven: { readonly resources: readonly Resource[]; readonly digest: Uint8Array } | undefined;

  /** The configuration that a snapshot holds; without `releases`, it is released to all nodes. */
  static restore(position: Position, resources: Iterable<Resource>, releases?: Releases): Configuration {
    const configuration = new Configuration();
    configuration.#releases = releases ?? releasedToAll(position);
    for (const resource of resources) configuration.#put(resource);
    configuration.#position = position;
    return configuration;
  }

  /**
   * The configuration of a stored snapshot whose bytes are known to be as they were written; `digest` is what they say.
   * Resources are put in order by name when one is first asked for by its name: {@link proving} does it in steps, and
   * shows that the digest is theirs. `resources` must not change.
   */
  static trusting(
    position: Position,
    resources: readonly Resource[],
    digest: Uint8Array,
    releases?: Releases,
  ): Configuration {
    const configuration = new Configuration();
    configuration.#releases = releases ?? releasedToAll(position);
    configuration.#stored = resources;
    configuration.#unproven = { resources, digest };
    configuration.#digest.restore(digest);
    configuration.#position = position;
    return configuration;
  }

  /**
   * Whether the digest that the configuration was made with is that of the resources that it was made of. In steps,
   * between which it may be used and changed; true for a configuration that was not taken on trust. Throws where a resource that was
   * left in its bytes can't be read.
   */
  *proving(): Steps<boolean> {
    const unproven = this.#unproven;
    if (unproven === undefined) return true;
    const { resources, digest } = unproven;
    const proven = new Digest();
    for (const [index, resource] of resources.entries()) {
      if (index % resourcesPerStep === resourcesPerStep - 1) yield;
      proven.add(resource);
      if (this.#stored === resources) this.#maps[resource.kind].set(resource.name, resource);
    }
    if (this.#stored === resources) this.#stored = [];
    this.#unproven = undefined;
    return sameBytes(proven.bytes(), digest);
  }

  get listeners(): ReadonlyMap<ListenerName, Listener> {
    return this.#byName().listener as Map<ListenerName, Listener>;
  }

  get routes(): ReadonlyMap<RouteName, Route> {
    return this.#byName().route as Map<RouteName, Route>;
  }

  get farms(): ReadonlyMap<FarmName, Farm> {
    return this.#byName().farm as Map<FarmName, Farm>;
  }

  get servers(): ReadonlyMap<ServerResourceName, Server> {
    return this.#byName().server as Map<ServerResourceName, Server>;
  }

  get rolloutPolicies(): ReadonlyMap<RolloutPolicyName, RolloutPolicy> {
    return this.#byName().rolloutPolicy as Map<RolloutPolicyName, RolloutPolicy>;
  }

  /** What is released to whom, as of the position. */
  get releases(): Releases {
    return this.#releases;
  }

  get position(): Position {
    return this.#position;
  }

  /** 32 bytes; equal on everyone who folded the same log to the same revision. */
  get digest(): Uint8Array {
    return this.#digest.bytes();
  }

  get size(): number {
    if (this.#stored.length > 0) return this.#stored.length;
    return Object.values(this.#maps).reduce((sum, map) => sum + map.size, 0);
  }

  resource(name: ResourceName): Resource | undefined {
    const kind = kindOfName(name);
    return kind && this.#byName()[kind].get(name);
  }

  /** All resources: farms and servers before the listeners and routes that name them. */
  *resources(): Generator<Resource> {
    if (this.#stored.length > 0) {
      yield* this.#stored;
      return;
    }
    yield* this.#maps.farm.values();
    yield* this.#maps.server.values();
    yield* this.#maps.listener.values();
    yield* this.#maps.route.values();
    yield* this.#maps.rolloutPolicy.values();
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
      if (!isConfigEvent(event)) continue;
      const change = this.#evolve(event);
      if (change.before !== null || change.after !== null) changes.push(change);
    }
    this.#position = position;
    this.#releases = releasesAfter(this.#releases, commit);
    return changes;
  }

  /** Takes back what one commit changed, as {@link applying} gave it: the configuration is what it was before. */
  *undoing(changes: readonly Change[], before: Pick<Configuration, "position" | "releases">): Steps<readonly Change[]> {
    const { position, releases } = before;
    const undone: Change[] = [];
    for (const [index, { before: earlier, after: later }] of [...changes].reverse().entries()) {
      if (index % eventsPerStep === eventsPerStep - 1) yield;
      if (earlier !== null) this.#put(earlier);
      else if (later !== null) this.#delete(later.name);
      undone.push({ before: later, after: earlier });
    }
    this.#position = position;
    this.#releases = releases;
    return undone;
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
    const map = this.#byName()[resource.kind];
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

  /** The maps, with everything in them. */
  #byName(): Record<ResourceKind, Map<string, Resource>> {
    const stored = this.#stored;
    this.#stored = [];
    for (const resource of stored) this.#maps[resource.kind].set(resource.name, resource);
    return this.#maps;
  }
}
