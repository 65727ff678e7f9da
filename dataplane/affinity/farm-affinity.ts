import type { AffinityPolicy } from "../../model/farm-policy.ts";
import type { Learnt, LearntSessionId, LearntTicketName } from "../../model/learnt.ts";
import type { ServerResourceName } from "../../model/resource-name.ts";
import type { FlightFacts } from "../hello/flight-facts.ts";
import { type AffinityReport, advise } from "./advise.ts";
import { evidenceOf } from "./farm-evidence.ts";
import { LearntNews } from "./learnt-news.ts";
import type { OfferedSession } from "./offered-session.ts";
import { acceptedPsk, givenSessionId, type Resumption, resumptionOf } from "./resumption.ts";
import { SessionIds } from "./session-ids.ts";
import { TicketLearner } from "./ticket-learner.ts";
import { TicketNames } from "./ticket-names.ts";

export interface Observed {
  /** What the server made of the offer; null where nothing was offered, or nothing can be said. */
  readonly resumed: Resumption;
  /** For the other nodes; null where nothing is new. */
  readonly learnt: Learnt | null;
}

/** What clients offered to resume, since the start. `accepted` and `refused` may be less than `offered`. */
export interface ResumptionCounts {
  readonly offered: number;
  readonly accepted: number;
  readonly refused: number;
}

const nobody: readonly ServerResourceName[] = [];

/**
 * Which servers of one farm can resume which TLS sessions. It is told what clients offer and what servers answer, and
 * believes servers only. Time comes in as data: milliseconds of any clock that does not go back.
 */
export class FarmAffinity {
  readonly #names: TicketNames;
  readonly #tickets: TicketLearner;
  readonly #ids: SessionIds;
  #offered = 0;
  #accepted = 0;
  #refused = 0;
  /** Handshakes in which a server gave nothing to resume by, as far as that is in clear. */
  #withoutSession = 0;

  constructor(policy: AffinityPolicy) {
    this.#names = new TicketNames(policy.ticketNameLifetimeMs);
    this.#tickets = new TicketLearner(this.#names);
    this.#ids = new SessionIds(policy.sessionIdsMax, policy.sessionIdLifetimeMs);
  }

  /** What is known stays, as far as the new limits let it. */
  setPolicy(policy: AffinityPolicy): void {
    this.#names.lifetimeMs = policy.ticketNameLifetimeMs;
    this.#ids.setLimits(policy.sessionIdsMax, policy.sessionIdLifetimeMs);
  }

  get counts(): ResumptionCounts {
    return { offered: this.#offered, accepted: this.#accepted, refused: this.#refused };
  }

  /** The servers that can resume it, in any order; none where that is not known. */
  servers(offered: OfferedSession | null, nowMs: number): readonly ServerResourceName[] {
    switch (offered?.kind) {
      case undefined:
        return nobody;
      case "psk":
        for (const head of offered.heads) {
          const servers = this.#names.servers(head, nowMs);
          if (servers.length > 0) return servers;
        }
        return nobody;
      case "ticket":
        return this.#names.servers(offered.head, nowMs);
      case "session_id": {
        const server = this.#ids.server(offered.id, nowMs);
        return server === null ? nobody : [server];
      }
    }
  }

  /** A server answered a client's hello: once for each connection, when its facts are settled or the connection ended. */
  observed(server: ServerResourceName, offered: OfferedSession | null, facts: FlightFacts, nowMs: number): Observed {
    const news = new LearntNews();
    const resumed = offered === null ? null : this.#resumption(server, offered, facts, nowMs, news);
    const psk = acceptedPsk(offered, facts);
    if (psk !== null && facts.retried) this.#tickets.acceptedUnseen(server, psk, nowMs, news);
    else if (psk !== null) this.#tickets.vouched(server, psk, "accepted", nowMs, news);
    const issued = facts.answer === "server_hello" ? facts.ticketHead : null;
    if (issued !== null) this.#tickets.vouched(server, issued, "issued", nowMs, news);
    const id = givenSessionId(offered, facts);
    if (id !== null) this.#learnId(server, id, nowMs, news);
    const inClear = facts.answer === "server_hello" && facts.version < 0x0304 && facts.settled && !facts.abbreviated;
    if (inClear && issued === null && id === null) this.#withoutSession += 1;
    return { resumed, learnt: news.learnt() };
  }

  /**
   * A check had handshakes with a server.
   *
   * @param handshakes for each of them, at most the first 32 bytes of each ticket that it brought
   */
  probed(server: ServerResourceName, handshakes: readonly (readonly Uint8Array[])[], nowMs: number): Learnt | null {
    const news = new LearntNews();
    for (const heads of handshakes) {
      if (heads.length === 0) this.#withoutSession += 1;
      for (const head of heads) this.#tickets.vouched(server, head, "issued", nowMs, news);
    }
    return news.learnt();
  }

  /** Takes in what another node knows of servers of this farm. */
  merge(learnt: Learnt, nowMs: number): void {
    for (const each of learnt.ticketNames) this.#tickets.merge(each, nowMs);
    if (learnt.sessionIds.length > 0) this.#ids.learnAll(learnt.sessionIds, nowMs);
  }

  /** All that is known, the most useful first: names, then ids, newest first; in parts of at most so many entries. */
  *known(nowMs: number, entriesMax: number): Iterable<Learnt> {
    let ticketNames: LearntTicketName[] = [];
    let sessionIds: LearntSessionId[] = [];
    for (const name of this.#namesNewestFirst(nowMs)) {
      ticketNames.push(name);
      if (ticketNames.length < entriesMax) continue;
      yield { ticketNames, sessionIds };
      ticketNames = [];
    }
    for (const id of this.#ids.newest(nowMs)) {
      sessionIds.push(id);
      if (ticketNames.length + sessionIds.length < entriesMax) continue;
      yield { ticketNames, sessionIds };
      ticketNames = [];
      sessionIds = [];
    }
    if (ticketNames.length + sessionIds.length > 0) yield { ticketNames, sessionIds };
  }

  /** The server is gone, or another machine has its name. */
  forget(server: ServerResourceName): void {
    this.#tickets.forget(server);
    this.#ids.forget(server);
  }

  /** What was seen of the farm's sessions, for its operator. Also clears out what is too old. */
  report(nowMs: number): AffinityReport {
    this.#tickets.expire(nowMs);
    this.#ids.expire(nowMs);
    return advise({
      ...evidenceOf(this.#tickets.servers, nowMs),
      ...this.counts,
      ticketNames: this.#names.count,
      sessionIds: this.#ids.count,
      withoutSession: this.#withoutSession,
    });
  }

  #resumption(
    server: ServerResourceName,
    offered: OfferedSession,
    facts: FlightFacts,
    nowMs: number,
    news: LearntNews,
  ): Resumption {
    const isKnown = (id: Uint8Array): boolean => this.#ids.server(id, nowMs) !== null;
    const resumed = resumptionOf(offered, facts, isKnown);
    const isOffer = offered.kind !== "session_id" || offered.certain || resumed !== null;
    if (isOffer) this.#offered += 1;
    if (resumed === "accepted") this.#accepted += 1;
    if (resumed === "refused") this.#refused += 1;
    if (offered.kind === "session_id" || resumed === null) return resumed;
    for (const head of offered.kind === "psk" ? offered.heads : [offered.head]) {
      if (resumed === "refused") this.#tickets.refused(server, head, nowMs, news);
      else if (offered.kind === "ticket") this.#tickets.stillGood(server, head, nowMs, news);
    }
    return resumed;
  }

  #learnId(server: ServerResourceName, id: Uint8Array, nowMs: number, news: LearntNews): void {
    if (this.#ids.learn(id, server, nowMs)) news.addId({ server, id, ageMs: 0 });
  }

  #namesNewestFirst(nowMs: number): readonly LearntTicketName[] {
    const names: LearntTicketName[] = [];
    for (const name of this.#names) {
      for (const holder of name.holders.values()) {
        if (!this.#names.isCurrent(holder, nowMs)) continue;
        const ageMs = Math.max(0, nowMs - holder.lastGoodMs);
        names.push({ server: holder.server, name: name.bytes, ageMs, dropped: false });
      }
    }
    return names.sort((one, other) => one.ageMs - other.ageMs);
  }
}
