import type { Traffic, TrafficDelta } from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";

/** Routes, and servers, that are counted apart for one node. */
export const namesPerNodeMax = 10_000;

/** Routes and servers that are counted apart for all nodes together: some 300 MB. */
const namesMax = 1_000_000;

/** Under this name stands what came after a limit was reached: the sums stay right. */
export const otherName = "(other)";

/** Words that one map of counts holds; the sets of them are closed, and smaller. */
const wordsMax = 64;

const uint64Max = 2n ** 64n - 1n;

/** How many names all nodes together have, against the common limit. */
export class NameBudget {
  #left: number;

  constructor(left = namesMax) {
    this.#left = left;
  }

  take(): boolean {
    if (this.#left === 0) return false;
    this.#left -= 1;
    return true;
  }

  giveBack(count: number): void {
    this.#left += count;
  }
}

/** The traffic of one node since its process started: the sum of what it told, in bounded memory. */
export class TrafficTotals {
  readonly #budget: NameBudget;
  readonly #routes = new Map<string, Counts>();
  readonly #servers = new Map<string, Counts>();
  readonly #unrouted = new Counts();
  readonly #all = new Counts();
  #named = 0;

  constructor(budget: NameBudget) {
    this.#budget = budget;
  }

  add(delta: TrafficDelta): void {
    for (const { route, traffic } of delta.routes) {
      if (traffic === undefined) continue;
      this.#counts(this.#routes, route).add(traffic);
      this.#all.add(traffic);
    }
    for (const { server, traffic } of delta.servers)
      if (traffic !== undefined) this.#counts(this.#servers, server).add(traffic);
    if (delta.unrouted === undefined) return;
    this.#unrouted.add(delta.unrouted);
    this.#all.add(delta.unrouted);
  }

  /** Of the whole node: its routes, and what no route took. */
  get all(): Traffic {
    return this.#all.toWire();
  }

  /** Routes and servers that are counted apart. */
  get size(): number {
    return this.#routes.size + this.#servers.size;
  }

  get serverCount(): number {
    return this.#servers.size;
  }

  serverNames(): Iterable<string> {
    return this.#servers.keys();
  }

  /** Adds what is known of a server to a sum. */
  addServerTo(sum: Counts, server: string): void {
    const counts = this.#servers.get(server);
    if (counts !== undefined) sum.addCounts(counts);
  }

  toWire(): TrafficDelta {
    return {
      routes: Array.from(this.#routes, ([route, counts]) => ({ route, traffic: counts.toWire() })),
      servers: Array.from(this.#servers, ([server, counts]) => ({ server, traffic: counts.toWire() })),
      unrouted: this.#unrouted.toWire(),
    };
  }

  /** To be called when the totals are not needed any more: gives their names back to the common limit. */
  release(): void {
    this.#budget.giveBack(this.#named);
    this.#named = 0;
    this.#routes.clear();
    this.#servers.clear();
  }

  #counts(entries: Map<string, Counts>, name: string): Counts {
    const known = entries.get(name);
    if (known !== undefined) return known;
    const apart = entries.size < namesPerNodeMax && this.#budget.take();
    if (apart) this.#named += 1;
    const key = apart ? name : otherName;
    const counts = entries.get(key) ?? new Counts();
    entries.set(key, counts);
    return counts;
  }
}

/**
 * One sum of traffic. Kept as numbers, which are added in place: sums of bigints would each leave an old one behind, in
 * a part of the heap that is swept seldom. They are exact up to 2^53, and beyond that to one part in as many.
 */
export class Counts {
  #connections = 0;
  #bytesFromClients = 0;
  #bytesFromServers = 0;
  readonly #ended = new WordCounts();
  readonly #handshakes = new WordCounts();
  readonly #resumptions = new WordCounts();

  add(traffic: Traffic): void {
    this.#connections += Number(traffic.connections);
    this.#bytesFromClients += Number(traffic.bytesFromClients);
    this.#bytesFromServers += Number(traffic.bytesFromServers);
    this.#ended.add(traffic.ended);
    this.#handshakes.add(traffic.handshakes);
    this.#resumptions.add(traffic.resumptions);
  }

  addCounts(counts: Counts): void {
    this.#connections += counts.#connections;
    this.#bytesFromClients += counts.#bytesFromClients;
    this.#bytesFromServers += counts.#bytesFromServers;
    this.#ended.addCounts(counts.#ended);
    this.#handshakes.addCounts(counts.#handshakes);
    this.#resumptions.addCounts(counts.#resumptions);
  }

  toWire(): Traffic {
    return {
      connections: uint64(this.#connections),
      bytesFromClients: uint64(this.#bytesFromClients),
      bytesFromServers: uint64(this.#bytesFromServers),
      ended: this.#ended.toWire(),
      handshakes: this.#handshakes.toWire(),
      resumptions: this.#resumptions.toWire(),
    };
  }
}

/** What can be encoded: a node that says nonsense must not make a message that can't be. */
export function uint64(count: number): bigint {
  return count < 2 ** 64 ? BigInt(count) : uint64Max;
}

/** Counts by words of a closed set. Mostly there are one or two: arrays take a fifth of the memory of a map. */
class WordCounts {
  #words: string[] | undefined;
  #counts: number[] | undefined;

  add(counts: Readonly<Record<string, bigint>>): void {
    for (const word in counts) this.#add(word, Number(counts[word] ?? 0n));
  }

  addCounts(counts: WordCounts): void {
    for (const [at, word] of (counts.#words ?? []).entries()) this.#add(word, counts.#counts?.[at] ?? 0);
  }

  toWire(): Record<string, bigint> {
    return Object.fromEntries((this.#words ?? []).map((word, at) => [word, uint64(this.#counts?.[at] ?? 0)]));
  }

  #add(word: string, count: number): void {
    this.#words ??= [];
    this.#counts ??= [];
    let at = this.#words.indexOf(word);
    if (at < 0 && this.#words.length >= wordsMax) at = this.#words.indexOf(otherName);
    if (at < 0) at = this.#words.push(this.#words.length < wordsMax ? word : otherName) - 1;
    this.#counts[at] = (this.#counts[at] ?? 0) + count;
  }
}
