import type { Route } from "../../model/resource.ts";
import { serverNameBytesMax } from "../../model/server-name.ts";
import type { ServerNamePattern } from "../../model/server-name-pattern.ts";
import { StoredRoute } from "../../model/stored-route.ts";
import { hashByte, hashEnd } from "./name-hash.ts";
import { NamedRoutes } from "./named-routes.ts";
import { chooseTarget, joinTarget, leaveTarget, loneTarget, type Narrowing, type Target } from "./rivals.ts";

/** A route before and after a commit; null where it did not exist, or does no more. */
export interface RouteChange {
  readonly before: Route | null;
  readonly after: Route | null;
}

const dot = 0x2e;
const star = 0x2a;

/** Labels of a name at most: 253 bytes are 127 labels of one letter and the dots between them. */
const labelsMax = 127;

const scratchName = new Uint8Array(serverNameBytesMax);
// The wildcards that one lookup has yet to try, shortest suffix first. Lookups are synchronous, so one stack serves all.
const suffixStarts = new Uint8Array(labelsMax);
const suffixHashes = new Int32Array(labelsMax);

/**
 * The routes of one listener, made for lookup by the bytes of an announced name. It answers what `chooseRoute` of
 * `model/match-route.ts` does, without looking at every route.
 *
 * Exact names and the suffixes of wildcards are in two indexes, so that a client that announces the name
 * `*.example.com` does not meet the wildcard of that text as an exact name.
 *
 * `apply` changes the table in place and synchronously: on the one thread of JavaScript no lookup sees half of it. A
 * commit so large that this would hold up decisions is applied to a fork, a slice in each turn of the event loop, and
 * the fork then takes the table's place by one assignment. A table is built in slices in the same way, from
 * `RuleTable.expecting`. A slice of 1,000 routes takes a few milliseconds.
 */
export class RuleTable {
  readonly #hashSeed: number;
  #exact: NamedRoutes;
  /** By the suffix, without `*.`. */
  #wildcards: NamedRoutes;
  /** How many wildcards have a suffix of so many labels: where there are none, a lookup need not probe. */
  readonly #wildcardsByLabels = new Uint32Array(labelsMax + 1);
  /** What `*` leads to, and what the absence of a name does. */
  #anyName: Target | undefined;
  #noName: Target | undefined;

  private constructor(hashSeed: number, expected: NameStatistics) {
    this.#hashSeed = hashSeed;
    this.#exact = new NamedRoutes(expected.exactNames, expected.exactBytes);
    this.#wildcards = new NamedRoutes(expected.wildcards, expected.wildcardBytes);
  }

  /** The table of these routes. `hashSeed`, 32 random bits of the process, is no part of what the table answers. */
  static build(routes: Iterable<Route>, hashSeed = 0): RuleTable {
    const all = Array.isArray(routes) ? (routes as readonly Route[]) : [...routes];
    const table = new RuleTable(
      hashSeed,
      estimate(all.length, (at) => all[at] ?? null),
    );
    for (const route of all) table.#replace(null, route);
    return table;
  }

  /** An empty table with room for what these changes add: made in slices, they then take the time of `build`. */
  static expecting(changes: readonly RouteChange[], hashSeed: number): RuleTable {
    return new RuleTable(
      hashSeed,
      estimate(changes.length, (at) => changes[at]?.after ?? null),
    );
  }

  /** Names and wildcards that lead somewhere, `*` among them, each counted once. */
  get nameCount(): number {
    return this.#exact.count + this.#wildcards.count + (this.#anyName === undefined ? 0 : 1);
  }

  /** Bytes of typed arrays and of references (8 each). Lists of routes that share a name are not counted. */
  get bytesUsed(): number {
    return this.#exact.bytesUsed + this.#wildcards.bytesUsed + this.#wildcardsByLabels.byteLength;
  }

  /** The route for the announced name `name[start, end)`, which is normalised (`normaliseServerName`). */
  lookup(name: Uint8Array, start: number, end: number, narrowing: Narrowing): Route | undefined {
    let hash = this.#hashSeed;
    let labels = 0;
    let suffixes = 0;
    for (let at = end - 1; at >= start; at -= 1) {
      const byte = name[at] as number;
      if (byte === dot) {
        labels += 1;
        if (this.#wildcardsByLabels[labels] !== 0) {
          suffixStarts[suffixes] = at + 1 - start;
          suffixHashes[suffixes] = hash;
          suffixes += 1;
        }
      }
      hash = hashByte(hash, byte);
    }
    let route = this.#exact.choose(name, start, end, hashEnd(hash), narrowing);
    while (route === undefined && suffixes > 0) {
      suffixes -= 1;
      const suffixStart = start + (suffixStarts[suffixes] as number);
      route = this.#wildcards.choose(name, suffixStart, end, hashEnd(suffixHashes[suffixes] as number), narrowing);
    }
    return route ?? (this.#anyName && chooseTarget(this.#anyName, narrowing));
  }

  /** The route for a complete hello that announces no name. */
  lookupNoName(narrowing: Narrowing): Route | undefined {
    return this.#noName && chooseTarget(this.#noName, narrowing);
  }

  /**
   * Makes each change in order. Throws a RangeError at a `before` that is not in the table: the table and the
   * configuration have parted, changes before it are in, and the table is good for nothing but to be built anew.
   */
  apply(changes: readonly RouteChange[]): void {
    for (const { before, after } of changes) this.#replace(before, after);
  }

  /** An independent table with the same routes; it shares memory with this one until either changes. */
  fork(): RuleTable {
    const fork = new RuleTable(
      this.#hashSeed,
      estimate(0, () => null),
    );
    fork.#exact = this.#exact.fork();
    fork.#wildcards = this.#wildcards.fork();
    fork.#wildcardsByLabels.set(this.#wildcardsByLabels);
    fork.#anyName = this.#anyName;
    fork.#noName = this.#noName;
    return fork;
  }

  #replace(before: Route | null, after: Route | null): void {
    if (before !== null) {
      // A name that stays keeps its place, and only its target changes.
      const kept = new Set(after?.name === before.name ? after.match.serverNames : []);
      for (const pattern of new Set(before.match.serverNames)) if (!kept.has(pattern)) this.#remove(pattern, before);
      if (before.match.noServerName && !(after?.name === before.name && after.match.noServerName))
        this.#noName = leaveTarget(this.#noName, before.name);
    }
    if (after !== null) {
      if (after instanceof StoredRoute && this.#addStored(after)) return;
      const lone = loneTarget(after);
      for (const pattern of after.match.serverNames) this.#add(pattern, lone);
      if (after.match.noServerName) this.#noName = this.#noName ? joinTarget(this.#noName, lone) : lone;
    }
  }

  #add(pattern: ServerNamePattern, lone: Target): void {
    if (pattern === "*") {
      this.#anyName = this.#anyName ? joinTarget(this.#anyName, lone) : lone;
      return;
    }
    const skip = isWildcard(pattern) ? 2 : 0;
    const length = pattern.length - skip;
    const hash = writeName(pattern, skip, this.#hashSeed);
    if (skip === 0) this.#exact.join(scratchName, length, hash, lone);
    else if (this.#wildcards.join(scratchName, length, hash, lone)) this.#countWildcard(length, 1);
  }

  /** Adds a route by the bytes that it is stored in; whether it could be. */
  #addStored(route: StoredRoute): boolean {
    const length = route.spell(scratchName);
    if (length === 0) return false;
    let hash = this.#hashSeed;
    for (let at = length - 1; at >= 0; at -= 1) hash = hashByte(hash, scratchName[at] as number);
    this.#exact.join(scratchName, length, hashEnd(hash), route);
    return true;
  }

  #remove(pattern: ServerNamePattern, route: Route): void {
    if (pattern === "*") {
      this.#anyName = leaveTarget(this.#anyName, route.name);
      return;
    }
    const skip = isWildcard(pattern) ? 2 : 0;
    const length = pattern.length - skip;
    const hash = writeName(pattern, skip, this.#hashSeed);
    if (skip === 0) this.#exact.leave(scratchName, length, hash, route.name);
    else if (this.#wildcards.leave(scratchName, length, hash, route.name)) this.#countWildcard(length, -1);
  }

  #countWildcard(length: number, difference: number): void {
    let labels = 1;
    for (let at = 0; at < length; at += 1) if (scratchName[at] === dot) labels += 1;
    this.#wildcardsByLabels[labels] = (this.#wildcardsByLabels[labels] as number) + difference;
  }
}

/** No exact name has a star. */
function isWildcard(pattern: ServerNamePattern): boolean {
  return pattern.charCodeAt(0) === star;
}

/** Writes the pattern without its first `skip` characters to the scratch bytes; answers the hash of what is written. */
function writeName(pattern: ServerNamePattern, skip: number, hashSeed: number): number {
  let hash = hashSeed;
  for (let at = pattern.length - 1; at >= skip; at -= 1) {
    const byte = pattern.charCodeAt(at);
    scratchName[at - skip] = byte;
    hash = hashByte(hash, byte);
  }
  return hashEnd(hash);
}

interface NameStatistics {
  readonly exactNames: number;
  readonly exactBytes: number;
  readonly wildcards: number;
  readonly wildcardBytes: number;
}

const sampleMax = 1000;

/** How many names the routes have, from a sample: to read each name twice would take a third of a build's time. */
function estimate(count: number, routeAt: (at: number) => Route | null): NameStatistics {
  const sampled = Math.min(count, sampleMax);
  const weight = count / Math.max(sampled, 1);
  const total = { exactNames: 0, exactBytes: 0, wildcards: 0, wildcardBytes: 0 };
  for (let draw = 0; draw < sampled; draw += 1) {
    // Multiples of the golden ratio, and no even steps: every tenth route may be of a kind.
    const at = sampled === count ? draw : (Math.imul(draw, 0x9e3779b1) >>> 0) % count;
    for (const pattern of routeAt(at)?.match.serverNames ?? [])
      if (isWildcard(pattern)) {
        total.wildcards += weight;
        total.wildcardBytes += weight * pattern.length;
      } else {
        total.exactNames += weight;
        total.exactBytes += weight * pattern.length;
      }
  }
  return total;
}
