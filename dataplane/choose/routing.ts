import type { Change } from "../../model/configuration.ts";
import {
  type FarmName,
  farmOf,
  type ListenerName,
  listenerOf,
  type ServerResourceName,
} from "../../model/resource-name.ts";
import type { Action, Farm, Listener, Route, Server } from "../../model/resource.ts";
import type { Narrowing } from "../table/rivals.ts";
import { type RouteChange, RuleTable } from "../table/rule-table.ts";
import { RoundRobin } from "./round-robin.ts";

/** A farm with what its balancing needs at hand. */
export interface FarmRouting {
  farm: Farm;
  readonly servers: Map<ServerResourceName, Server>;
  readonly roundRobin: RoundRobin;
}

/** A listener with its rule table. */
interface ListenerRouting {
  listener: Listener;
  readonly table: RuleTable;
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
 * What decisions look at: the configuration, arranged for lookup. A fold over the same changes as the configuration,
 * in place; on the one thread of JavaScript no decision sees half a commit.
 */
export class Routing {
  readonly #hashSeed: number;
  readonly #listeners = new Map<string, ListenerRouting>();
  readonly #farms = new Map<FarmName, FarmRouting>();

  /** `hashSeed`: 32 random bits of the process, for the rule tables. */
  constructor(hashSeed: number) {
    this.#hashSeed = hashSeed;
  }

  apply(changes: readonly Change[]): void {
    const routes = new Map<ListenerName, RouteChange[]>();
    // Listeners and farms first: what they hold finds them there, whatever the order of the events.
    for (const { before, after } of changes) {
      if (after?.kind === "listener") this.#putListener(after);
      if (after?.kind === "farm") this.#farm(after).farm = after;
      if ((before ?? after)?.kind === "route") {
        const change = { before: before as Route | null, after: after as Route | null };
        const listener = listenerOf((change.after ?? (change.before as Route)).name);
        const list = routes.get(listener);
        if (list === undefined) routes.set(listener, [change]);
        else list.push(change);
      }
    }
    for (const [listener, list] of routes) this.#listeners.get(listener)?.table.apply(list);
    for (const { before, after } of changes) this.#applyServer(before, after);
    for (const { before, after } of changes) {
      if (after !== null || before === null) continue;
      if (before.kind === "listener") this.#listeners.delete(before.name);
      if (before.kind === "farm") this.#farms.delete(before.name);
    }
  }

  listener(name: string): Listener | undefined {
    return this.#listeners.get(name)?.listener;
  }

  *listeners(): Generator<Listener> {
    for (const { listener } of this.#listeners.values()) yield listener;
  }

  farm(name: FarmName): FarmRouting | undefined {
    return this.#farms.get(name);
  }

  server(name: ServerResourceName): Server | undefined {
    return this.#farms.get(farmOf(name))?.servers.get(name);
  }

  /** The most specific route, or the listener's default; undefined for a listener that has gone. */
  choose(listenerName: string, announced: AnnouncedName, narrowing: Narrowing): Choice | undefined {
    const at = this.#listeners.get(listenerName);
    if (at === undefined) return undefined;
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

  #putListener(listener: Listener): void {
    const known = this.#listeners.get(listener.name);
    if (known !== undefined) known.listener = listener;
    else this.#listeners.set(listener.name, { listener, table: RuleTable.build([], this.#hashSeed) });
  }

  #farm(farm: Farm): FarmRouting {
    let known = this.#farms.get(farm.name);
    if (known === undefined) {
      known = { farm, servers: new Map(), roundRobin: new RoundRobin() };
      this.#farms.set(farm.name, known);
    }
    return known;
  }

  #applyServer(before: Change["before"], after: Change["after"]): void {
    const server = after ?? before;
    if (server?.kind !== "server") return;
    const farm = this.#farms.get(farmOf(server.name));
    if (farm === undefined) return;
    if (after?.kind === "server") farm.servers.set(after.name, after);
    else {
      farm.servers.delete(server.name);
      farm.roundRobin.forget(server.name);
    }
  }
}
