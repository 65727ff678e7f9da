import type { Learnt } from "../../model/learnt.ts";
import type { LearntHost } from "./learnt-exchange.ts";

/** Askers that are answered one after the other; who is one too many will ask again. */
const askersMax = 8;

/** Of one answer, a thousand entries each: what is known first is the most useful. */
const partsMax = 128;

export interface AnswerPart {
  readonly to: string;
  readonly learnt: Learnt;
}

/** What is left to tell those who asked, a part at a time. */
export class AnswerParts {
  readonly #host: LearntHost;
  readonly #entriesPerPart: number;
  readonly #askers = new Set<string>();
  #current: { readonly to: string; readonly parts: Iterator<Learnt>; count: number } | undefined;

  constructor(host: LearntHost, entriesPerPart: number) {
    this.#host = host;
    this.#entriesPerPart = entriesPerPart;
  }

  /** Whether there is nobody to be answered. */
  get empty(): boolean {
    return this.#current === undefined && this.#askers.size === 0;
  }

  asked(asker: string): void {
    if (this.#askers.size < askersMax && this.#current?.to !== asker) this.#askers.add(asker);
  }

  /** An answer has at least one part, which is empty where nothing is known; undefined where nobody waits for one. */
  next(): AnswerPart | undefined {
    for (;;) {
      const current = (this.#current ??= this.#begin());
      if (current === undefined) return undefined;
      const { value, done } = current.count < partsMax ? current.parts.next() : { value: undefined, done: true };
      current.count += 1;
      if (done !== true) return { to: current.to, learnt: value as Learnt };
      this.#current = undefined;
      if (current.count === 1) return { to: current.to, learnt: { ticketNames: [], sessionIds: [] } };
    }
  }

  clear(): void {
    this.#current = undefined;
    this.#askers.clear();
  }

  #begin(): { readonly to: string; readonly parts: Iterator<Learnt>; count: number } | undefined {
    for (const to of this.#askers) {
      this.#askers.delete(to);
      return { to, parts: this.#host.known(this.#entriesPerPart)[Symbol.iterator](), count: 0 };
    }
    return undefined;
  }
}
