import type { Action, Match, Route } from "./resource.ts";
import type { ListenerName, RouteName } from "./resource-name.ts";

/** The bytes of many routes, and how one of them is read. Reading throws where they are not those of a route. */
export interface RouteStore {
  readonly bytes: Uint8Array;
  /** The route whose bytes begin at `start`, with their length. */
  read(start: number): Route;
  /** Its name alone: all that a fold needs of the routes that it does not touch. */
  readName(start: number): RouteName;
}

/** In place of where a name is: the route has none, several, a wildcard, or something that narrows. */
export const noSpelling = 0;

/**
 * A route that is still in the bytes of a stored snapshot, and is read when it is first looked at: a node that starts
 * with a million of them must route within two seconds, and to read them all takes ten. What the rule table needs, its
 * listener and its name's bytes, is at hand without that.
 */
export class StoredRoute implements Route {
  readonly listener: ListenerName;
  readonly #start: number;
  readonly #spelling: number;
  /** The route itself once it was read; the bytes are let go of then. */
  #source: RouteStore | Route;

  /** `spelling` is where the length of its one exact name stands, in one byte before the name; or `noSpelling`. */
  constructor(store: RouteStore, start: number, listener: ListenerName, spelling: number) {
    this.listener = listener;
    this.#start = start;
    this.#spelling = spelling;
    this.#source = store;
  }

  get kind(): "route" {
    return "route";
  }

  get name(): RouteName {
    const source = this.#source;
    return "kind" in source ? source.name : source.readName(this.#start);
  }

  get match(): Match {
    return this.#route().match;
  }

  get action(): Action {
    return this.#route().action;
  }

  /** Writes its one exact name, where that is all that it matches by; answers the length, or 0 where it is not. */
  spell(into: Uint8Array): number {
    const source = this.#source;
    if (this.#spelling === noSpelling || "kind" in source) return 0;
    const { bytes } = source;
    const length = bytes[this.#spelling] as number;
    const start = this.#spelling + 1;
    for (let at = 0; at < length; at += 1) into[at] = bytes[start + at] as number;
    return length;
  }

  #route(): Route {
    const source = this.#source;
    if ("kind" in source) return source;
    const route = source.read(this.#start);
    this.#source = route;
    return route;
  }
}
