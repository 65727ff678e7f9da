import type { Resolve } from "./resolve.ts";
import { WatchedName } from "./watched-name.ts";

export interface NameWatchParts {
  readonly resolve: Resolve;
  /** Milliseconds of a monotonic clock. */
  readonly nowMs: () => number;
  /** From 0 to below 1, as Math.random. */
  readonly random: () => number;
  readonly onChange: (name: WatchedName) => void;
  /** Hears, in a sentence, that a name can't be resolved: the first of failures that follow each other. */
  readonly onFault: (host: string, why: string) => void;
}

/** Names that are asked for at once. */
const inFlightMax = 32;

/** Names that are due are looked for at most so often. */
const sweepMs = 50;

/** Asks for names again and again, each when its time is over; one timer for all of them. */
export class NameWatch {
  readonly #parts: NameWatchParts;
  readonly #names = new Map<string, WatchedName>();
  /** Due, but too many are asked for already. */
  readonly #waiting: WatchedName[] = [];
  #inFlight = 0;
  #timer: NodeJS.Timeout | undefined;
  #timerMs = Number.POSITIVE_INFINITY;

  constructor(parts: NameWatchParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#names.size;
  }

  /** The name, asked for at once where it is new. */
  watch(host: string): WatchedName {
    const known = this.#names.get(host);
    if (known !== undefined) return known;
    const name = new WatchedName(host);
    this.#names.set(host, name);
    this.#due(name);
    return name;
  }

  /** Nobody has the name any more. */
  forget(name: WatchedName): void {
    if (!this.#names.delete(name.host)) return;
    name.asking?.abort();
    if (this.#names.size === 0) this.#disarm();
  }

  close(): void {
    for (const name of this.#names.values()) name.asking?.abort();
    this.#names.clear();
    this.#waiting.length = 0;
    this.#disarm();
  }

  #due(name: WatchedName): void {
    name.dueMs = Number.POSITIVE_INFINITY;
    this.#waiting.push(name);
    this.#startWaiting();
  }

  #startWaiting(): void {
    while (this.#inFlight < inFlightMax) {
      const name = this.#waiting.shift();
      if (name === undefined) return;
      if (this.#isWatched(name)) void this.#ask(name);
    }
  }

  async #ask(name: WatchedName): Promise<void> {
    const { resolve, nowMs, random, onChange, onFault } = this.#parts;
    const asking = new AbortController();
    name.asking = asking;
    this.#inFlight += 1;
    try {
      const answer = await resolve(name.host, asking.signal);
      if (this.#isWatched(name) && name.answered(answer, nowMs(), random())) onChange(name);
    } catch (error) {
      if (this.#isWatched(name)) {
        name.failed(nowMs(), random());
        if (name.failures === 1) onFault(name.host, error instanceof Error ? error.message : String(error));
      }
    } finally {
      name.asking = undefined;
      this.#inFlight -= 1;
      this.#startWaiting();
    }
    if (this.#isWatched(name)) this.#arm(name.dueMs);
  }

  /** A name that was forgotten may be watched anew, as another object. */
  #isWatched(name: WatchedName): boolean {
    return this.#names.get(name.host) === name;
  }

  #arm(dueMs: number): void {
    if (dueMs >= this.#timerMs) return;
    clearTimeout(this.#timer);
    this.#timerMs = dueMs;
    this.#timer = setTimeout(() => this.#sweep(), Math.max(sweepMs, Math.ceil(dueMs - this.#parts.nowMs())));
  }

  #disarm(): void {
    clearTimeout(this.#timer);
    this.#timerMs = Number.POSITIVE_INFINITY;
  }

  #sweep(): void {
    this.#timerMs = Number.POSITIVE_INFINITY;
    const nowMs = this.#parts.nowMs();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const name of this.#names.values()) {
      if (name.dueMs <= nowMs) this.#due(name);
      else nextMs = Math.min(nextMs, name.dueMs);
    }
    if (nextMs !== Number.POSITIVE_INFINITY) this.#arm(nextMs);
  }
}
