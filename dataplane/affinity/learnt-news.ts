import type { Learnt, LearntSessionId, LearntTicketName } from "../../model/learnt.ts";

/** What one event taught, for the other nodes. */
export class LearntNews {
  readonly #ticketNames: LearntTicketName[] = [];
  readonly #sessionIds: LearntSessionId[] = [];

  addName(name: LearntTicketName): void {
    this.#ticketNames.push(name);
  }

  addId(id: LearntSessionId): void {
    this.#sessionIds.push(id);
  }

  /** Null where there is nothing new. */
  learnt(): Learnt | null {
    const nothing = this.#ticketNames.length === 0 && this.#sessionIds.length === 0;
    return nothing ? null : { ticketNames: this.#ticketNames, sessionIds: this.#sessionIds };
  }
}
