import type { Route } from "../../model/resource.ts";
import type { RouteName } from "../../model/resource-name.ts";
import { NameIndex } from "./name-index.ts";
import { chooseTarget, joinTarget, leaveTarget, type Narrowing, type Rivals, type Target } from "./rivals.ts";

/** In place of a route: look among the rivals. */
const contested = { kind: "contested" } as const;

/**
 * From names to routes, for names of one sort: exact ones, or the suffixes of wildcards.
 *
 * Names whose routes have rivals are in a second index, and the first says so by a value of its own. To tell a route
 * from a list by looking into the object would cost a cache miss, the dearest of a lookup's four with a million routes;
 * to compare it with `contested` does not touch it.
 */
export class NamedRoutes {
  #routes: NameIndex<Route | typeof contested>;
  #rivals = new NameIndex<Rivals>(0, 0);

  constructor(namesExpected: number, nameBytesExpected: number) {
    this.#routes = new NameIndex(namesExpected, nameBytesExpected);
  }

  get count(): number {
    return this.#routes.count;
  }

  /** See {@link NameIndex.bytesUsed}. */
  get bytesUsed(): number {
    return this.#routes.bytesUsed + this.#rivals.bytesUsed;
  }

  /** The route of the name `name[start, end)` that holds. */
  choose(name: Uint8Array, start: number, end: number, hash: number, narrowing: Narrowing): Route | undefined {
    const found = this.#routes.find(name, start, end, hash);
    if (found !== contested) return found as Route | undefined;
    return chooseTarget(this.#rivals.find(name, start, end, hash) as Rivals, narrowing);
  }

  /** Adds a route, given as its lone target, to the name `name[0, end)`, or renews it there; whether the name is new. */
  join(name: Uint8Array, end: number, hash: number, lone: Target): boolean {
    const present = this.#routes.add(name, 0, end, hash, lone.kind === "route" ? lone : contested);
    if (present !== undefined) {
      this.#put(name, end, hash, present, joinTarget(this.#targetOf(name, end, hash, present), lone));
      return false;
    }
    if (lone.kind === "rivals") this.#rivals.add(name, 0, end, hash, lone);
    return true;
  }

  /** Takes a route away from the name `name[0, end)`; whether the name is gone. Throws a RangeError if it is not there. */
  leave(name: Uint8Array, end: number, hash: number, route: RouteName): boolean {
    const present = this.#routes.find(name, 0, end, hash);
    const rest = leaveTarget(present && this.#targetOf(name, end, hash, present), route);
    if (rest !== undefined) {
      this.#put(name, end, hash, present as Route | typeof contested, rest);
      return false;
    }
    this.#routes.delete(name, 0, end, hash);
    if (present === contested) this.#rivals.delete(name, 0, end, hash);
    return true;
  }

  /** An independent copy, for the price of two directories. */
  fork(): NamedRoutes {
    const fork = new NamedRoutes(0, 0);
    fork.#routes = this.#routes.fork();
    fork.#rivals = this.#rivals.fork();
    return fork;
  }

  #targetOf(name: Uint8Array, end: number, hash: number, present: Route | typeof contested): Target {
    return present === contested ? (this.#rivals.find(name, 0, end, hash) as Rivals) : (present as Route);
  }

  /** Puts another target in the place of what is present. */
  #put(name: Uint8Array, end: number, hash: number, present: Route | typeof contested, target: Target): void {
    if (target.kind === "route") {
      this.#routes.replace(name, 0, end, hash, target);
      if (present === contested) this.#rivals.delete(name, 0, end, hash);
    } else if (present === contested) {
      this.#rivals.replace(name, 0, end, hash, target);
    } else {
      this.#rivals.add(name, 0, end, hash, target);
      this.#routes.replace(name, 0, end, hash, contested);
    }
  }
}
