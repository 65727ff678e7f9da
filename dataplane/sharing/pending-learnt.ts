import type { Learnt, LearntSessionId, LearntTicketName } from "../../model/learnt.ts";

/** Entries at some 200 bytes each: what a busy node learns within seconds. */
const entriesMaxDefault = 16_384;

interface Pending {
  readonly news: LearntTicketName | LearntSessionId;
  readonly atMs: number;
}

/** What is to be told and could not be yet. The newest word on anything replaces those before it; the oldest goes first. */
export class PendingLearnt {
  readonly #entriesMax: number;
  readonly #nowMs: () => number;
  /** By server and bytes, in the order of what was said last. */
  readonly #entries = new Map<string, Pending>();
  #dropped = 0;

  /** `nowMs`: milliseconds of a monotonic clock. What waits grows older. */
  constructor(nowMs: () => number, entriesMax = entriesMaxDefault) {
    this.#nowMs = nowMs;
    this.#entriesMax = entriesMax;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Entries that were dropped for want of room. */
  get dropped(): number {
    return this.#dropped;
  }

  add({ ticketNames, sessionIds }: Learnt): void {
    const atMs = this.#nowMs();
    for (const news of ticketNames) this.#put(`n${latin1(news.name)}${news.server}`, { news, atMs });
    for (const news of sessionIds) this.#put(`i${latin1(news.id)}${news.server}`, { news, atMs });
  }

  /** Takes the oldest out; undefined where there is nothing. */
  take(entriesMax: number): Learnt | undefined {
    if (this.#entries.size === 0) return undefined;
    const nowMs = this.#nowMs();
    const ticketNames: LearntTicketName[] = [];
    const sessionIds: LearntSessionId[] = [];
    for (const [key, { news, atMs }] of this.#entries) {
      if (ticketNames.length + sessionIds.length === entriesMax) break;
      this.#entries.delete(key);
      const ageMs = news.ageMs + (nowMs - atMs);
      if ("id" in news) sessionIds.push({ ...news, ageMs });
      else ticketNames.push({ ...news, ageMs });
    }
    return { ticketNames, sessionIds };
  }

  #put(key: string, pending: Pending): void {
    this.#entries.delete(key);
    this.#entries.set(key, pending);
    if (this.#entries.size <= this.#entriesMax) return;
    this.#entries.delete(this.#entries.keys().next().value as string);
    this.#dropped += 1;
  }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}
