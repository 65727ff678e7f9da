import type { ServerResourceName } from "../../model/resource-name.ts";
import { asciiText } from "../../model/server-name.ts";

/** A server that has the key of a name. */
export interface NameHolder {
  readonly server: ServerResourceName;
  firstSeenMs: number;
  /** When a ticket of that name was last issued or accepted there. */
  lastGoodMs: number;
  /** Different tickets by which the name is known, counted up to a few: what the length of the name rests on. */
  tickets: number;
  /** Tickets refused in a row after the server had a newer name. */
  refusals: number;
  /** When the other nodes were last told. */
  toldMs: number;
}

/** The bytes with which the tickets under one key begin, and the servers that have that key. */
export interface TicketName {
  readonly bytes: Uint8Array;
  readonly holders: ReadonlyMap<ServerResourceName, NameHolder>;
}

interface Entry extends TicketName {
  readonly key: string;
  readonly holders: Map<ServerResourceName, NameHolder>;
  /** The holders whose time is not over. */
  servers: readonly ServerResourceName[];
  /** Until then `servers` is right. */
  rightUntilMs: number;
  /** Whether some server was seen to issue tickets of this name. */
  issued: boolean;
  /** Look-ups until the next trial, and from there to the one after it. */
  untilTrial: number;
  trialPause: number;
}

const nobody: readonly ServerResourceName[] = [];

/** Look-ups of a name before its first trial: rare where keys have not been seen to be shared, else soon. */
const trialPauseAlone = 256;
const trialPauseShared = 16;
const trialPauseMax = 1 << 20;

/**
 * The names of a farm's ticket keys. Tickets do not say how long their key's name is, so a ticket is looked up once for
 * each length that some name has: one or two in practice, whatever the number of names and servers.
 */
export class TicketNames {
  readonly #names = new Map<string, Entry>();
  /** How many names have which length. */
  readonly #lengths = new Map<number, number>();
  /** A longer name says more. */
  #longestFirst: readonly number[] = [];
  #lifetimeMs: number;
  #firstTrialPause = trialPauseAlone;

  constructor(lifetimeMs: number) {
    this.#lifetimeMs = lifetimeMs;
  }

  get lifetimeMs(): number {
    return this.#lifetimeMs;
  }

  set lifetimeMs(lifetimeMs: number) {
    this.#lifetimeMs = lifetimeMs;
    for (const entry of this.#names.values()) entry.rightUntilMs = 0;
  }

  get count(): number {
    return this.#names.size;
  }

  /** That of all names, where they have only one; else 0. */
  get onlyLength(): number {
    return this.#longestFirst.length === 1 ? (this.#longestFirst[0] as number) : 0;
  }

  [Symbol.iterator](): Iterator<TicketName> {
    return this.#names.values();
  }

  isCurrent(holder: NameHolder, nowMs: number): boolean {
    return nowMs - holder.lastGoodMs < this.#lifetimeMs;
  }

  /** The longest name with which a ticket begins. */
  find(head: Uint8Array): TicketName | undefined {
    for (const length of this.#longestFirst) {
      const entry = length <= head.length ? this.#names.get(asciiText(head, 0, length)) : undefined;
      if (entry !== undefined) return entry;
    }
    return undefined;
  }

  /**
   * The servers that can open a ticket, for all that is known; none where its name is not known.
   *
   * None, too, for a trial. Where all that is learnt comes from accepted PSKs, the first server that is known to have a key
   * gets all of its tickets, and another that shares the key could never show it: the farm would be as good as one server.
   * So the balancer has its way with one look-up now and then, and less often each time that the ticket was refused.
   */
  servers(head: Uint8Array, nowMs: number): readonly ServerResourceName[] {
    for (const length of this.#longestFirst) {
      const entry = length <= head.length ? this.#names.get(asciiText(head, 0, length)) : undefined;
      if (entry === undefined) continue;
      if (nowMs >= entry.rightUntilMs) this.#renew(entry, nowMs);
      if (entry.servers.length > 0) return this.#isTrial(entry) ? nobody : entry.servers;
    }
    return nobody;
  }

  /** A server issues tickets of this name: as others would be seen to, no trials are needed. */
  sawIssued(name: TicketName): void {
    const entry = this.#names.get(asciiText(name.bytes, 0, name.bytes.length));
    if (entry !== undefined) entry.issued = true;
  }

  /** A server that is not known to have the key of a name did not take a ticket of it: trials of it become rarer. */
  sawAlone(name: TicketName): void {
    const entry = this.#names.get(asciiText(name.bytes, 0, name.bytes.length));
    this.#firstTrialPause = trialPauseAlone;
    if (entry === undefined) return;
    entry.trialPause = Math.min(entry.trialPause * 2, trialPauseMax);
    entry.untilTrial = entry.trialPause;
  }

  /** Puts a server to a name; where it is there already, that stays as it is. */
  hold(name: Uint8Array, holder: NameHolder): TicketName {
    const key = asciiText(name, 0, name.length);
    let entry = this.#names.get(key);
    if (entry === undefined) {
      const pause = this.#firstTrialPause;
      const trials = { issued: false, untilTrial: pause, trialPause: pause };
      entry = { key, bytes: name.slice(), holders: new Map(), servers: nobody, rightUntilMs: 0, ...trials };
      this.#names.set(key, entry);
      this.#countLength(name.length, 1);
    }
    if (!entry.holders.has(holder.server)) entry.holders.set(holder.server, holder);
    if (entry.holders.size > 1) this.#sawShared(entry);
    entry.rightUntilMs = 0;
    return entry;
  }

  release(name: TicketName, server: ServerResourceName): void {
    const entry = this.#names.get(asciiText(name.bytes, 0, name.bytes.length));
    if (entry?.holders.delete(server) !== true) return;
    entry.rightUntilMs = 0;
    if (entry.holders.size > 0) return;
    this.#names.delete(entry.key);
    this.#countLength(entry.bytes.length, -1);
  }

  #sawShared(entry: Entry): void {
    this.#firstTrialPause = trialPauseShared;
    entry.trialPause = trialPauseShared;
    entry.untilTrial = trialPauseShared;
  }

  #isTrial(entry: Entry): boolean {
    if (entry.issued) return false;
    entry.untilTrial -= 1;
    if (entry.untilTrial > 0) return false;
    // It may hit a server that is known already, and show nothing.
    entry.untilTrial = trialPauseShared;
    return true;
  }

  /** Holders only grow younger, so that nothing changes by itself before the one that is oldest now is too old. */
  #renew(entry: Entry, nowMs: number): void {
    const servers: ServerResourceName[] = [];
    entry.rightUntilMs = Number.POSITIVE_INFINITY;
    for (const holder of entry.holders.values()) {
      if (!this.isCurrent(holder, nowMs)) continue;
      servers.push(holder.server);
      entry.rightUntilMs = Math.min(entry.rightUntilMs, holder.lastGoodMs + this.#lifetimeMs);
    }
    entry.servers = servers;
  }

  #countLength(length: number, change: 1 | -1): void {
    const count = (this.#lengths.get(length) ?? 0) + change;
    if (count > 0) this.#lengths.set(length, count);
    else this.#lengths.delete(length);
    this.#longestFirst = [...this.#lengths.keys()].sort((one, other) => other - one);
  }
}
