import type { Change } from "../../model/configuration.ts";
import {
  type FarmName,
  farmOf,
  type ListenerName,
  listenerOf,
  type ResourceName,
  type ServerResourceName,
} from "../../model/resource-name.ts";
import type { Action, Farm, Listener, Resource, Route, Server } from "../../model/resource.ts";
import { atOnce, type Steps } from "../../model/steps.ts";
import { StoredRoute } from "../../model/stored-route.ts";
import type { Narrowing } from "../table/rivals.ts";
import { type RouteChange, RuleTable } from "../table/rule-table.ts";
import { FarmBalancing } from "./farm-balancing.ts";

/** Route changes that are made in place: about a millisecond. */
const routesInPlaceMax = 500;

/** Route changes between two places where others may run. In a fork each may copy a segment of the table, 6 KiB. */
const routesPerStep = 100;

/** Changes that are only sorted between two such places. */
const changesPerStep = 2000;

/** A farm with what its balancing needs at hand. */
export interface FarmRouting {
  readonly farm: Farm;
  readonly servers: ReadonlyMap<ServerResourceName, Server>;
  /** What balancing keeps across changes. */
  readonly balancing: FarmBalancing;
}

/** A place for a farm and its servers, whichever of them come first. */
interface FarmEntry {
  farm: Farm | undefined;
  readonly servers: Map<ServerResourceName, Server>;
  readonly balancing: FarmBalancing;
}

/** A place for a listener and its routes, whichever of them come first. */
interface ListenerEntry {
  listener: Listener | undefined;
  routeCount: number;
  table: RuleTable;
}

/** What is announced, as the hello has it: no strings are made. */
export interface AnnouncedName {
  readonly nameBytes: Uint8Array;
  /** 0 for a complete hello without a name. */
  readonly nameLength: number;
}

/** What a hello comes to. `route` is null where the listener's default was taken. */
export interface Choice {
  readonly route: Route | null;
  readonly action: Action;
}

/**
 * What decisions look at: the configuration, arranged for lookup. A fold over the same changes as the configuration; on
 * the one thread of JavaScript no decision sees half a commit.
 *
 * Total, as the configuration's own fold is: a route may come before its listener, and outlive it, without being lost.
 * Deciders write no such log; but a node that met one must not part from the digest that it reports, nor stop.
 */
export class Routing {
  readonly #hashSeed: number;
  readonly #listeners = new Map<string, ListenerEntry>();
  readonly #farms = new Map<FarmName, FarmEntry>();

  /** `hashSeed`: 32 random bits of the process, for the rule tables. */
  constructor(hashSeed: number) {
    this.#hashSeed = hashSeed;
  }

  /** The same as {@link applying}, at once. */
  apply(changes: readonly Change[]): void {
    atOnce(this.applying(changes));
  }

  /**
   * Carries out changes, in any order, each resource at most once (`netChanges`). In steps: the rule table of a listener
   * that has many of them is built beside the one in use, and everything shows at the last step, all together.
   */
  *applying(changes: readonly Change[]): Steps<void> {
    const { routes, others } = yield* sorting(changes);
    const built = new Map<ListenerName, RuleTable>();
    for (const [listener, { list }] of routes) {
      if (list.length <= routesInPlaceMax) continue;
      const table = this.#tableBeside(listener, list);
      for (let start = 0; start < list.length; start += routesPerStep) {
        table.apply(list.slice(start, start + routesPerStep));
        yield;
      }
      built.set(listener, table);
    }
    // From here on all at once; the time is that of what is not a route, however many routes there are.
    for (const [listener, each] of routes) this.#applyRoutes(listener, each, built.get(listener));
    for (const { before, after } of others) this.#applyOther(after ?? before, after !== null);
    for (const listener of routes.keys()) this.#dropEmpty(listener);
    for (const { before, after } of others) if (before !== null && after === null) this.#dropEmpty(before.name);
  }

  listener(name: string): Listener | undefined {
    return this.#listeners.get(name)?.listener;
  }

  farm(name: FarmName): FarmRouting | undefined {
    const entry = this.#farms.get(name);
    return entry?.farm === undefined ? undefined : (entry as FarmRouting);
  }

  server(name: ServerResourceName): Server | undefined {
    return this.#farms.get(farmOf(name))?.servers.get(name);
  }

  /** The most specific route, or the listener's default; undefined for a listener that has gone. */
  choose(listenerName: string, announced: AnnouncedName, narrowing: Narrowing): Choice | undefined {
    const at = this.#listeners.get(listenerName);
    if (at?.listener === undefined) return undefined;
    const { nameBytes, nameLength } = announced;
    const route =
      nameLength === 0 ? at.table.lookupNoName(narrowing) : at.table.lookup(nameBytes, 0, nameLength, narrowing);
    if (route === undefined) return { route: null, action: at.listener.defaultAction };
    return { route, action: route.action };
  }

  /** Names in all rule tables, and the bytes of their indexes. */
  size(): { readonly names: number; readonly bytes: number } {
    let names = 0;
    let bytes = 0;
    for (const { table } of this.#listeners.values()) {
      names += table.nameCount;
      bytes += table.bytesUsed;
    }
    return { names, bytes };
  }

  /** A table to make the changes in, while the one in use is used. */
  #tableBeside(listener: ListenerName, changes: readonly RouteChange[]): RuleTable {
    const { table, routeCount } = this.#listener(listener);
    return routeCount > 0 ? table.fork() : RuleTable.expecting(changes, this.#hashSeed);
  }

  #listener(name: ListenerName): ListenerEntry {
    let entry = this.#listeners.get(name);
    if (entry === undefined) {
      entry = { listener: undefined, routeCount: 0, table: RuleTable.build([], this.#hashSeed) };
      this.#listeners.set(name, entry);
    }
    return entry;
  }

  #farm(name: FarmName): FarmEntry {
    let entry = this.#farms.get(name);
    if (entry === undefined) {
      entry = { farm: undefined, servers: new Map(), balancing: new FarmBalancing() };
      this.#farms.set(name, entry);
    }
    return entry;
  }

  #putServer(server: Server, stays: boolean): void {
    const { servers, balancing } = this.#farm(farmOf(server.name));
    if (stays) {
      servers.set(server.name, server);
      balancing.changed();
    } else {
      servers.delete(server.name);
      balancing.forget(server.name);
    }
  }

  #applyOther(resource: Resource | null, stays: boolean): void {
    switch (resource?.kind) {
      case "listener":
        this.#listener(resource.name).listener = stays ? resource : undefined;
        break;
      case "farm":
        this.#farm(resource.name).farm = stays ? resource : undefined;
        break;
      case "server":
        this.#putServer(resource, stays);
        break;
      case "route":
      case "rolloutPolicy":
      case undefined:
        break;
    }
  }

  /** `built` has the changes already, and takes the table's place. */
  #applyRoutes(listener: ListenerName, { list, growth }: ListenerChanges, built: RuleTable | undefined): void {
    const entry = this.#listener(listener);
    if (built === undefined) entry.table.apply(list);
    else entry.table = built;
    entry.routeCount += growth;
  }

  /** Gives back the place of something deleted, once nothing else is in it. */
  #dropEmpty(name: ResourceName): void {
    const holder = name.split("/", 2).join("/");
    const at = this.#listeners.get(holder);
    if (at !== undefined && at.listener === undefined && at.routeCount === 0) this.#listeners.delete(holder);
    const farm = this.#farms.get(holder as FarmName);
    if (farm !== undefined && farm.farm === undefined && farm.servers.size === 0)
      this.#farms.delete(holder as FarmName);
  }
}

/** Changes of the routes of one listener, and by how many they become more. */
interface ListenerChanges {
  readonly list: RouteChange[];
  growth: number;
}

interface SortedChanges {
  readonly routes: ReadonlyMap<ListenerName, ListenerChanges>;
  readonly others: readonly Change[];
}

function* sorting(changes: readonly Change[]): Steps<SortedChanges> {
  const routes = new Map<ListenerName, ListenerChanges>();
  const others: Change[] = [];
  for (const [index, each] of changes.entries()) {
    if (index % changesPerStep === changesPerStep - 1) yield;
    const { before, after } = each;
    const resource = after ?? before;
    if (resource?.kind !== "route") {
      others.push(each);
      continue;
    }
    const listener = resource instanceof StoredRoute ? resource.listener : listenerOf(resource.name);
    let of = routes.get(listener);
    if (of === undefined) {
      of = { list: [], growth: 0 };
      routes.set(listener, of);
    }
    // What a route's name had before was a route too: the kind is a part of the name.
    of.list.push(each as RouteChange);
    of.growth += Number(after !== null) - Number(before !== null);
  }
  return { routes, others };
}
