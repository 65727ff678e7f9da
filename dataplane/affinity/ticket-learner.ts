import { type LearntTicketName, ticketNameBytesMax, ticketNameBytesMin } from "../../model/learnt.ts";
import type { ServerResourceName } from "../../model/resource-name.ts";
import { commonPrefixBytes, startsWith } from "./common-prefix.ts";
import type { LearntNews } from "./learnt-news.ts";
import { type OwnName, ServerTickets, type Vouch } from "./server-tickets.ts";
import type { NameHolder, TicketName, TicketNames } from "./ticket-names.ts";

/** Of one server: the keys of as many workers, or of a week of rotations every half a day. */
export const namesPerServerMax = 16;

/** So many tickets of a server without a name in common: they have none. */
export const unalikeTicketsMax = 3;

/** So many refusals in a row end a name that the server has replaced. */
const refusalsMax = 3;

/** New names that come slower are rotations, not the lack of names. */
const unalikeWithinMs = 30 * 60_000;

/** A server that took an older key's ticket again keeps several keys; for so long refusals end none of them. */
const keepsOldMs = 3 * 3_600_000;

/** The others are told again that a name is still good. */
const refreshMs = 10 * 60_000;

/** Another node's "dropped" does not end what was good here after that; clocks and the way between nodes take this much. */
const slackMs = 2000;

/** Beyond that, more tickets make a name's length no surer. */
const ticketsCounted = 8;

/**
 * Learns the names of ticket keys from tickets that a server vouched for: it issued them, or resumed by them. What clients
 * merely send never gets here, but for refusals (`refused`).
 */
export class TicketLearner {
  readonly #names: TicketNames;
  readonly #servers = new Map<ServerResourceName, ServerTickets>();

  constructor(names: TicketNames) {
    this.#names = names;
  }

  get servers(): Iterable<ServerTickets> {
    return this.#servers.values();
  }

  /** A server issued a ticket, or resumed by it; `head` is at most its first 32 bytes. */
  vouched(server: ServerResourceName, head: Uint8Array, how: Vouch, nowMs: number, news: LearntNews): void {
    if (head.length < ticketNameBytesMin) return;
    const tickets = this.#ticketsOf(server);
    const fresh = tickets.samples.add(head);
    if (how === "accepted") tickets.outcome("accepted");
    else tickets.issuesInSight = true;
    const own = tickets.nameOf(head);
    if (own !== undefined) this.#seenAgain(tickets, own, fresh, how, nowMs, news);
    else this.#learn(tickets, head, fresh, how, nowMs, news);
    const name = how === "issued" ? this.#names.find(head) : undefined;
    if (name !== undefined) this.#names.sawIssued(name);
  }

  /**
   * A server resumed after a HelloRetryRequest, by this ticket if the client sent it again: a client can send that of
   * another server first, and then the one that it has. So this makes no server a second holder of a name, and teaches no
   * names of a server that shows its tickets otherwise.
   */
  acceptedUnseen(server: ServerResourceName, head: Uint8Array, nowMs: number, news: LearntNews): void {
    const tickets = this.#servers.get(server);
    const isOwn = tickets?.nameOf(head) !== undefined;
    if (!isOwn && (tickets?.issuesInSight === true || this.#names.find(head) !== undefined)) return;
    this.vouched(server, head, "accepted", nowMs, news);
  }

  /** A TLS 1.2 server resumed, by this ticket as it seems: that keeps a name good, but makes none (see `resumption.ts`). */
  stillGood(server: ServerResourceName, head: Uint8Array, nowMs: number, news: LearntNews): void {
    const tickets = this.#servers.get(server);
    const own = tickets?.nameOf(head);
    if (tickets === undefined || own === undefined) return;
    tickets.outcome("accepted");
    this.#renew(tickets, own, nowMs, news);
  }

  /**
   * A server did not resume by a ticket. Anybody can send a ticket that nobody issued, so this ends no name that is in use:
   * only one after which the server has shown a newer one, and which it did not vouch for since.
   */
  refused(server: ServerResourceName, head: Uint8Array, nowMs: number, news: LearntNews): void {
    const tickets = this.#servers.get(server);
    const own = tickets?.nameOf(head);
    const others = own === undefined ? this.#names.find(head) : undefined;
    if (others !== undefined) this.#names.sawAlone(others);
    if (tickets === undefined || own === undefined) return;
    tickets.outcome("refused");
    if (!tickets.hasNewerThan(own) || nowMs < tickets.keepsOldUntilMs) return;
    own.holder.refusals += 1;
    if (own.holder.refusals >= refusalsMax) this.#drop(tickets, own, nowMs, news);
  }

  /** What another node knows. */
  merge({ server, name, ageMs, dropped }: LearntTicketName, nowMs: number): void {
    if (name.length < ticketNameBytesMin || name.length > ticketNameBytesMax) return;
    const lastGoodMs = nowMs - Math.max(0, ageMs);
    const tickets = this.#ticketsOf(server);
    const own = tickets.nameOf(name);
    if (dropped) {
      const same = own?.name.bytes.length === name.length;
      if (own !== undefined && same && own.holder.lastGoodMs <= lastGoodMs + slackMs) this.#remove(tickets, own);
      return;
    }
    if (nowMs - lastGoodMs >= this.#names.lifetimeMs) return;
    if (own !== undefined) own.holder.lastGoodMs = Math.max(own.holder.lastGoodMs, lastGoodMs);
    else this.#add(tickets, name, { firstSeenMs: lastGoodMs, lastGoodMs, tickets: 2, toldMs: nowMs });
  }

  forget(server: ServerResourceName): void {
    const tickets = this.#servers.get(server);
    for (const { name } of tickets?.names ?? []) this.#names.release(name, server);
    this.#servers.delete(server);
  }

  /** Removes what was not seen to be good for its lifetime. */
  expire(nowMs: number): void {
    for (const tickets of this.#servers.values()) {
      for (const own of tickets.names.filter(({ holder }) => !this.#names.isCurrent(holder, nowMs))) {
        this.#remove(tickets, own);
      }
    }
  }

  #seenAgain(tickets: ServerTickets, own: OwnName, fresh: boolean, how: Vouch, nowMs: number, news: LearntNews): void {
    this.#renew(tickets, own, nowMs, news);
    if (!fresh) return;
    const { holder, name } = own;
    holder.tickets = Math.min(holder.tickets + 1, ticketsCounted);
    tickets.unalike = 0;
    tickets.nameBytes = name.bytes.length;
    tickets.saw(name, how, false, nowMs);
  }

  #renew(tickets: ServerTickets, own: OwnName, nowMs: number, news: LearntNews): void {
    const { name, holder } = own;
    if (tickets.hasNewerThan(own)) tickets.keepsOldUntilMs = nowMs + keepsOldMs;
    holder.lastGoodMs = nowMs;
    holder.refusals = 0;
    if (nowMs - holder.toldMs < refreshMs) return;
    holder.toldMs = nowMs;
    news.addName({ server: holder.server, name: name.bytes, ageMs: 0, dropped: false });
  }

  /** A ticket that begins with none of the server's names. */
  #learn(tickets: ServerTickets, head: Uint8Array, fresh: boolean, how: Vouch, nowMs: number, news: LearntNews): void {
    const shared = this.#names.find(head);
    const shorter = shared === undefined ? this.#accidentallyLong(tickets, head) : undefined;
    const alike = tickets.samples.alike(head, (sample) => tickets.nameOf(sample) === undefined);
    if (shorter !== undefined) {
      this.#shorten(tickets, shorter.own, shorter.bytes, nowMs, news);
    } else if (shared !== undefined) {
      this.#found(tickets, shared.bytes, 2, how, nowMs, news);
    } else if (alike.bytes >= ticketNameBytesMin) {
      this.#found(tickets, head.subarray(0, alike.bytes), alike.samples + 1, how, nowMs, news);
    } else if (fresh) {
      this.#unlike(tickets, head, how, nowMs, news);
    }
  }

  /** A name that stands on more than one ticket. */
  #found(tickets: ServerTickets, name: Uint8Array, count: number, how: Vouch, nowMs: number, news: LearntNews): void {
    tickets.unalike = 0;
    tickets.nameBytes = name.length;
    this.#addNew(tickets, name, count, how, nowMs, news);
  }

  /** A new key, where it is known how long names are; or the first ticket; or no name, as the next ones will show. */
  #unlike(tickets: ServerTickets, head: Uint8Array, how: Vouch, nowMs: number, news: LearntNews): void {
    if (tickets.nameBytes > 0 && nowMs - tickets.unalikeMs > unalikeWithinMs) tickets.unalike = 0;
    tickets.unalike += 1;
    tickets.unalikeMs = nowMs;
    if (tickets.unalike >= unalikeTicketsMax) {
      const guesses = tickets.names.filter(({ holder }) => holder.tickets < 2);
      for (const guess of guesses) this.#drop(tickets, guess, nowMs, news);
      tickets.nameBytes = 0;
      return;
    }
    // The servers of a farm are mostly alike; where this one is not, its next tickets correct it.
    const bytes = tickets.nameBytes === 0 ? this.#names.onlyLength : tickets.nameBytes;
    if (bytes > 0 && head.length >= bytes) this.#addNew(tickets, head.subarray(0, bytes), 1, how, nowMs, news);
  }

  /**
   * The name that a ticket shows to be too long, with its right length. Of n tickets of one key some k bytes after the name
   * may agree by chance, with a probability of 256^-(k(n-1)). What is likelier than one in a million was chance; what is
   * not is another key with a similar name, as where an operator counts the names of keys.
   */
  #accidentallyLong(
    { names }: ServerTickets,
    head: Uint8Array,
  ): { readonly own: OwnName; readonly bytes: number } | undefined {
    let best: { readonly own: OwnName; readonly bytes: number } | undefined;
    for (const own of names) {
      const bytes = commonPrefixBytes(own.name.bytes, head);
      if (bytes < Math.max(ticketNameBytesMin, (best?.bytes ?? 0) + 1)) continue;
      if (mayBeChance(own, bytes)) best = { own, bytes };
    }
    return best;
  }

  /** For all servers that have the name, and for names of this server whose length was taken from it. */
  #shorten(tickets: ServerTickets, { name }: OwnName, bytes: number, nowMs: number, news: LearntNews): void {
    const holders = [...name.holders.keys()];
    for (const server of holders) this.#cut(this.#ticketsOf(server), name, bytes, nowMs, news);
    const { length } = name.bytes;
    const alike = tickets.names.filter((own) => own.name.bytes.length === length && mayBeChance(own, bytes));
    for (const own of alike) this.#cut(tickets, own.name, bytes, nowMs, news);
    tickets.unalike = 0;
    tickets.nameBytes = bytes;
  }

  #cut(tickets: ServerTickets, name: TicketName, bytes: number, nowMs: number, news: LearntNews): void {
    const own = tickets.names.find((each) => each.name === name);
    if (own === undefined) return;
    const { firstSeenMs, tickets: count } = own.holder;
    this.#drop(tickets, own, nowMs, news);
    const short = name.bytes.subarray(0, bytes);
    const isNew = tickets.nameOf(short) === undefined;
    if (isNew) this.#add(tickets, short, { firstSeenMs, lastGoodMs: nowMs, tickets: count + 1, toldMs: nowMs });
    news.addName({ server: tickets.server, name: short.slice(), ageMs: 0, dropped: false });
  }

  #addNew(tickets: ServerTickets, bytes: Uint8Array, count: number, how: Vouch, nowMs: number, news: LearntNews): void {
    const hadNames = tickets.names.length > 0;
    const name = this.#add(tickets, bytes, { firstSeenMs: nowMs, lastGoodMs: nowMs, tickets: count, toldMs: nowMs });
    tickets.saw(name, how, true, nowMs);
    if (hadNames) tickets.changed(nowMs);
    news.addName({ server: tickets.server, name: name.bytes, ageMs: 0, dropped: false });
  }

  /** Names that begin with the new one say nothing more, and go; so does the oldest where there are too many. */
  #add(tickets: ServerTickets, bytes: Uint8Array, seen: Omit<NameHolder, "server" | "refusals">): TicketName {
    for (const own of tickets.names.filter(({ name }) => startsWith(name.bytes, bytes))) this.#remove(tickets, own);
    if (tickets.names.length >= namesPerServerMax) {
      const [oldest] = tickets.names.toSorted((one, other) => one.holder.lastGoodMs - other.holder.lastGoodMs);
      if (oldest !== undefined) this.#remove(tickets, oldest);
    }
    const holder: NameHolder = { server: tickets.server, refusals: 0, ...seen };
    const name = this.#names.hold(bytes, holder);
    tickets.names.push({ name, holder });
    if (seen.tickets > 1 && tickets.nameBytes === 0) tickets.nameBytes = bytes.length;
    return name;
  }

  #drop(tickets: ServerTickets, own: OwnName, nowMs: number, news: LearntNews): void {
    const ageMs = Math.max(0, nowMs - own.holder.lastGoodMs);
    news.addName({ server: tickets.server, name: own.name.bytes, ageMs, dropped: true });
    this.#remove(tickets, own);
  }

  #remove(tickets: ServerTickets, own: OwnName): void {
    tickets.remove(own);
    this.#names.release(own.name, tickets.server);
  }

  #ticketsOf(server: ServerResourceName): ServerTickets {
    let tickets = this.#servers.get(server);
    if (tickets === undefined) {
      tickets = new ServerTickets(server);
      this.#servers.set(server, tickets);
    }
    return tickets;
  }
}

function mayBeChance({ name, holder }: OwnName, bytes: number): boolean {
  return (name.bytes.length - bytes) * (holder.tickets - 1) <= 2;
}
