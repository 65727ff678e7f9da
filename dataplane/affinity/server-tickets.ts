import type { ServerResourceName } from "../../model/resource-name.ts";
import { startsWith } from "./common-prefix.ts";
import type { NameHolder, TicketName } from "./ticket-names.ts";
import { TicketSamples } from "./ticket-samples.ts";

/** A server came back to an older name: its workers have keys of their own. Beyond that time it may have been mended. */
const returnsCountForMs = 3 * 3_600_000;

/** The times of so many changes of name are kept. */
const changesMax = 8;

/** Past so many outcomes older ones count half. */
const outcomesMax = 128;

/** By which a server vouches for a ticket: it issued it, or resumed by it. */
export type Vouch = "issued" | "accepted";

export interface OwnName {
  readonly name: TicketName;
  readonly holder: NameHolder;
}

/** What one server's tickets showed of how it makes them. */
export class ServerTickets {
  readonly server: ServerResourceName;
  readonly samples = new TicketSamples();
  /** At most `namesPerServerMax`, in no order. */
  readonly names: OwnName[] = [];
  /** It was seen to issue tickets, by a check or in TLS 1.2. */
  issuesInSight = false;
  /** How long its names are; 0 while that is not known. */
  nameBytes = 0;
  /** Different tickets in a row that had no known name, or gave a new one that none of the others had. */
  unalike = 0;
  /** When the last of those came. */
  unalikeMs = 0;
  /** Until then, refusals end no name. */
  keepsOldUntilMs = 0;
  /** When it began to issue tickets under another name, oldest first. */
  readonly changesMs: number[] = [];
  /** Of tickets whose name is this server's. */
  accepted = 0;
  refused = 0;

  readonly #issued = new NameSequence();
  readonly #accepted = new NameSequence();

  constructor(server: ServerResourceName) {
    this.server = server;
  }

  /** That of its own names with which a ticket begins. */
  nameOf(head: Uint8Array): OwnName | undefined {
    return this.names.find(({ name }) => startsWith(head, name.bytes));
  }

  remove(own: OwnName): void {
    this.names.splice(this.names.indexOf(own), 1);
  }

  /** Whether it has another name that came after this one was last good. */
  hasNewerThan({ holder }: OwnName): boolean {
    return this.names.some((each) => each.holder.firstSeenMs > holder.lastGoodMs);
  }

  changed(nowMs: number): void {
    this.changesMs.push(nowMs);
    if (this.changesMs.length > changesMax) this.changesMs.shift();
  }

  /** A ticket of that name was issued or accepted; `anew`: a name that it did not have before. */
  saw(name: TicketName, how: Vouch, anew: boolean, nowMs: number): void {
    (how === "issued" ? this.#issued : this.#accepted).add(name, anew, nowMs);
  }

  outcome(which: "accepted" | "refused"): void {
    this[which] += 1;
    if (this.accepted + this.refused <= outcomesMax) return;
    this.accepted >>= 1;
    this.refused >>= 1;
  }

  /**
   * Whether it has several keys at once. A rotation never goes back to an older key in what is issued; in what is accepted
   * it does while the older key is still taken, but then nothing is refused.
   */
  alternates(nowMs: number): boolean {
    if (this.names.length < 2) return false;
    if (this.#issued.returns(nowMs) >= 3) return true;
    const refusesMany = this.refused * 4 >= this.accepted + this.refused && this.refused >= 3;
    return refusesMany && this.#accepted.returns(nowMs) >= 6;
  }
}

/** How often a run of names came back to one that was there before. */
class NameSequence {
  #last: TicketName | null = null;
  #returns = 0;
  #lastReturnMs = 0;

  add(name: TicketName, anew: boolean, nowMs: number): void {
    if (name !== this.#last && this.#last !== null && !anew) {
      this.#returns = this.returns(nowMs) + 1;
      this.#lastReturnMs = nowMs;
    }
    this.#last = name;
  }

  returns(nowMs: number): number {
    return nowMs - this.#lastReturnMs <= returnsCountForMs ? this.#returns : 0;
  }
}
