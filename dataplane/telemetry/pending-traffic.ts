import type { CloseReason } from "../../model/reason.ts";
import type { ServerAnswer } from "../hello/flight-facts.ts";
import type { Resumption } from "../routed-connection.ts";
import { HelloSample } from "./hello-sample.ts";

/** Routes, and servers, that are counted for one delta; a node that could report to nobody for days tells of these. */
const entriesMax = 100_000;

/** What connections did since some time. */
export class Counts {
  connections = 0;
  bytesFromClients = 0;
  bytesFromServers = 0;
  readonly ended = new Map<CloseReason, number>();
  readonly handshakes = new Map<ServerAnswer, number>();
  /** `offered` counts every offer, whatever came of it. */
  readonly resumptions = new Map<Resumption, number>();

  add(other: Counts): void {
    this.connections += other.connections;
    this.bytesFromClients += other.bytesFromClients;
    this.bytesFromServers += other.bytesFromServers;
    for (const [reason, count] of other.ended) addTo(this.ended, reason, count);
    for (const [answer, count] of other.handshakes) addTo(this.handshakes, answer, count);
    for (const [resumption, count] of other.resumptions) addTo(this.resumptions, resumption, count);
  }
}

/** Counts that are on their way to the control plane. */
export interface TrafficCounts {
  readonly routes: Map<string, Counts>;
  readonly servers: Map<string, Counts>;
  readonly unrouted: Counts;
}

/** A connection that has ended, as far as it is counted. */
export interface CountedConnection {
  readonly reason: CloseReason;
  readonly bytesFromClient: number;
  readonly bytesFromServer: number;
  /** Undefined where no server was reached. */
  readonly answer: ServerAnswer | undefined;
  /** Null where the client offered nothing to resume. */
  readonly resumption: Resumption | null;
}

/**
 * What was counted since the delta that left this process last. There is one of it, however long nobody reads: what can't be
 * sent is merged into what comes, so nothing is ever queued.
 */
export class PendingTraffic {
  /** Which hellos they began with; not part of the counts, which are put back where they did not arrive. */
  readonly hellos = new HelloSample();
  #counts = noCounts();

  get empty(): boolean {
    const { routes, servers, unrouted } = this.#counts;
    return routes.size === 0 && servers.size === 0 && unrouted.connections === 0;
  }

  /** `route` is null where none took it. */
  closed(route: string | null, server: string | null, connection: CountedConnection): void {
    const { routes, servers, unrouted } = this.#counts;
    count(route === null ? unrouted : entry(routes, route), connection);
    if (server !== null) count(entry(servers, server), connection);
  }

  /** An attempt to reach a server failed; its connection may go to another one. */
  connectFailed(server: string, reason: CloseReason): void {
    const counts = entry(this.#counts.servers, server);
    if (counts !== undefined) addTo(counts.ended, reason, 1);
  }

  /** Gives back what is kept for something that has gone. */
  forget(name: string): void {
    this.#counts.routes.delete(name);
    this.#counts.servers.delete(name);
  }

  /** Hands over the counts of at most so many routes and servers; undefined where there is nothing to tell. */
  take(entriesPerDelta: number): TrafficCounts | undefined {
    if (this.empty) return undefined;
    const { routes, servers, unrouted } = this.#counts;
    if (routes.size <= entriesPerDelta && servers.size <= entriesPerDelta) {
      const all = this.#counts;
      this.#counts = noCounts();
      return all;
    }
    this.#counts = { routes, servers, unrouted: new Counts() };
    return { routes: moved(routes, entriesPerDelta), servers: moved(servers, entriesPerDelta), unrouted };
  }

  /** What was taken did not leave: it is counted again. */
  putBack({ routes, servers, unrouted }: TrafficCounts): void {
    for (const [name, counts] of routes) entry(this.#counts.routes, name)?.add(counts);
    for (const [name, counts] of servers) entry(this.#counts.servers, name)?.add(counts);
    this.#counts.unrouted.add(unrouted);
  }
}

function noCounts(): TrafficCounts {
  return { routes: new Map(), servers: new Map(), unrouted: new Counts() };
}

function count(counts: Counts | undefined, connection: CountedConnection): void {
  if (counts === undefined) return;
  counts.connections += 1;
  counts.bytesFromClients += connection.bytesFromClient;
  counts.bytesFromServers += connection.bytesFromServer;
  addTo(counts.ended, connection.reason, 1);
  if (connection.answer !== undefined) addTo(counts.handshakes, connection.answer, 1);
  if (connection.resumption === null) return;
  addTo(counts.resumptions, "offered", 1);
  if (connection.resumption !== "offered") addTo(counts.resumptions, connection.resumption, 1);
}

function entry(entries: Map<string, Counts>, name: string): Counts | undefined {
  let counts = entries.get(name);
  if (counts === undefined && entries.size < entriesMax) {
    counts = new Counts();
    entries.set(name, counts);
  }
  return counts;
}

function moved(from: Map<string, Counts>, entriesPerDelta: number): Map<string, Counts> {
  const taken = new Map<string, Counts>();
  for (const [name, counts] of from) {
    if (taken.size === entriesPerDelta) break;
    taken.set(name, counts);
    from.delete(name);
  }
  return taken;
}

function addTo<Key>(counts: Map<Key, number>, key: Key, more: number): void {
  counts.set(key, (counts.get(key) ?? 0) + more);
}
