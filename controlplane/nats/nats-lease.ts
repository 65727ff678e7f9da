import { randomUUID } from "node:crypto";
import type { NatsConnection } from "nats";
import type { LogNames } from "../../model/log-names.ts";
import { type Clock, systemClock } from "../rollout/clock.ts";
import type { Lease } from "../rollout/lease.ts";
import { type LeaseEnd, type LeaseRecord, LeaseStream, type LeaseStore } from "./lease-stream.ts";

const durationMsDefault = 6_000;

/** A record that says more than this is not waited for. */
const durationMsMax = 60_000;

export interface NatsLeaseOptions {
  /** Of `connectNats`: it comes back by itself. It is the caller's to close, after the lease. */
  readonly connection: NatsConnection;
  readonly names: LogNames;
  readonly replicaId: string;
  /** Servers that keep the stream where it has to be made. */
  readonly replicas: number;
  /** From 50 ms. Default 6 s: how long a replica that died is waited for. */
  readonly durationMs?: number;
  readonly clock?: Clock;
  /** Hears when this replica takes the lease, and when it notices that it has lost it. */
  readonly onChange?: (held: boolean) => void;
}

export interface StoredLeaseOptions {
  readonly store: LeaseStore;
  /** Different for each process. */
  readonly holder: string;
  readonly durationMs: number;
  readonly clock: Clock;
  /** From 0 to 1, as Math.random: so that replicas do not all ask at once. */
  readonly random: () => number;
  readonly onChange?: ((held: boolean) => void) | undefined;
}

/**
 * Who of the replicas acts for all of them, as the last message of a stream says. No two hold it at a time, as far as their
 * clocks run alike: the holder counts from before it sent the write, and stops a sixth of the duration early; the others
 * count from when they saw that write, and begin anew whenever the stream is not what it was. So neither a wall clock, nor
 * an answer that was late, nor a process that was stopped for a while makes two of one.
 *
 * A stream that lost its end, or is new, says too little about who holds it: after a reconnection, at the start and
 * wherever the sequence goes back, a whole duration passes before it is taken, even from one who gave it back.
 */
export class NatsLease implements Lease {
  readonly #options: StoredLeaseOptions;
  readonly #running: Promise<void>;
  readonly #stopNews: () => void;
  #wake = new AbortController();
  /** By the clock; what this replica holds ends then. */
  #heldUntilMs = Number.NEGATIVE_INFINITY;
  #sequence = 0;
  #term = 0;
  /** The write that is under way, or was not answered: when it was first sent, and which message it follows. */
  #attempt: { readonly after: number; readonly sentMs: number } | undefined;
  /** The stream's end as it was seen last, and since when it has been so. */
  #seen: { readonly end: LeaseEnd; readonly sinceMs: number } | undefined;
  /** Nobody's word is taken before this. */
  #quietUntilMs: number;
  #told = false;
  #closing = false;
  #closed: Promise<void> | undefined;
  #failures = 0;

  constructor(options: StoredLeaseOptions) {
    const { store, clock, durationMs } = options;
    this.#options = options;
    this.#quietUntilMs = clock.monotonicMs() + durationMs;
    this.#stopNews = store.onNews((news) => {
      if (news === "reconnected") this.#beQuiet();
      if (!this.held) this.#wake.abort();
    });
    this.#running = this.#run();
  }

  /** Takes part from now on; it does not wait for the lease. */
  static async of(options: NatsLeaseOptions): Promise<NatsLease> {
    const { connection, names, replicaId, replicas, durationMs = durationMsDefault } = options;
    const timeoutMs = Math.ceil(durationMs / 3);
    const store = await LeaseStream.of({ connection, names, replicas, timeoutMs });
    const { clock = systemClock, onChange } = options;
    return new NatsLease({
      store,
      holder: `${replicaId} ${randomUUID()}`,
      durationMs,
      clock,
      random: Math.random,
      onChange,
    });
  }

  get held(): boolean {
    return this.#options.clock.monotonicMs() < this.#heldUntilMs;
  }

  /** The fencing token: grows with each write, whoever's it is. Says something only while it is held. */
  get sequence(): number {
    return this.#sequence;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#closing = true;
    this.#wake.abort();
    await this.#running;
    this.#stopNews();
    const gives = this.held;
    this.#heldUntilMs = Number.NEGATIVE_INFINITY;
    this.#tell();
    if (gives) await this.#options.store.write(this.#record(true), this.#sequence);
  }

  async #run(): Promise<void> {
    const { clock, random } = this.#options;
    while (!this.#closing) {
      const answered = await this.#turn();
      this.#failures = answered ? 0 : this.#failures + 1;
      this.#tell();
      const spread = 0.8 + 0.2 * random();
      await clock.wait(this.#pauseMs() * spread, this.#wake.signal);
      if (this.#wake.signal.aborted) this.#wake = new AbortController();
    }
  }

  /** A third of the duration; sooner while nobody answers, and when what is there runs out. */
  #pauseMs(): number {
    const { clock, durationMs } = this.#options;
    const thirdMs = durationMs / 3;
    if (this.#failures > 0) return Math.min(thirdMs, (durationMs / 48) * 2 ** Math.min(this.#failures, 4));
    const endMs = this.held ? Number.POSITIVE_INFINITY : this.#freeAtMs() - clock.monotonicMs();
    // A little after the end: the spread takes up to a fifth away.
    return Math.min(thirdMs, Math.max(durationMs / 100, endMs * 1.25));
  }

  /** Whether the store answered. */
  async #turn(): Promise<boolean> {
    if (this.held) {
      const written = await this.#write(this.#record(false), this.#sequence);
      if (written !== "conflict") return written;
    }
    const { store, clock, holder } = this.#options;
    let end: LeaseEnd;
    try {
      end = await store.end();
    } catch {
      // Nobody answers; the caller backs off, and what is held runs out by itself.
      return false;
    }
    this.#look(end);
    if (this.#closing) return true;
    const { record, sequence } = end;
    if (this.held) {
      if (record !== null && record.holder !== holder) {
        // Against all that was promised: then rather nobody than two.
        this.#heldUntilMs = Number.NEGATIVE_INFINITY;
        return true;
      }
      // The stream lost our last writes, or an answer was lost.
      const again = await this.#write(this.#record(false), sequence);
      return again === "conflict" || again;
    }
    if (clock.monotonicMs() < this.#freeAtMs()) return true;
    this.#term = (record?.term ?? 0) + 1;
    const taken = await this.#write(this.#record(false), sequence);
    return taken === "conflict" || taken;
  }

  /** Whether it was answered, or "conflict" where another message is there. */
  async #write(record: LeaseRecord, after: number): Promise<boolean | "conflict"> {
    const { store, clock } = this.#options;
    const sentMs = clock.monotonicMs();
    // Of several after the same message one is taken at most; where the answer was lost, it may be the first.
    if (this.#attempt?.after !== after) this.#attempt = { after, sentMs };
    const written = await store.write(record, after);
    if (typeof written === "string") return written === "conflict" ? written : false;
    this.#hold(written.sequence, sentMs);
    return true;
  }

  #hold(sequence: number, sentMs: number): void {
    const { durationMs } = this.#options;
    this.#attempt = undefined;
    this.#sequence = sequence;
    this.#heldUntilMs = sentMs + durationMs - durationMs / 6;
    this.#seen = undefined;
  }

  #look(end: LeaseEnd): void {
    const { holder, clock } = this.#options;
    const before = this.#seen?.end;
    const { sequence, record } = end;
    const attempt = this.#attempt;
    if (record?.holder === holder && !record.released && attempt?.after === sequence - 1) {
      // The write that was not answered.
      this.#term = record.term;
      this.#hold(sequence, attempt.sentMs);
    }
    if (before !== undefined && sameEnd(before, end)) return;
    if (before?.stream !== end.stream || sequence <= before.sequence) this.#beQuiet();
    this.#seen = { end, sinceMs: clock.monotonicMs() };
  }

  #beQuiet(): void {
    const { clock, durationMs } = this.#options;
    this.#quietUntilMs = Math.max(this.#quietUntilMs, clock.monotonicMs() + durationMs);
  }

  /** When it may be taken, by the clock. */
  #freeAtMs(): number {
    if (this.#seen === undefined) return this.#quietUntilMs;
    const { end, sinceMs } = this.#seen;
    if (end.record?.released === true) return this.#quietUntilMs;
    const lastsMs = Math.min(durationMsMax, Math.max(this.#options.durationMs, end.record?.durationMs ?? 0));
    return Math.max(this.#quietUntilMs, sinceMs + lastsMs);
  }

  #record(released: boolean): LeaseRecord {
    const { holder, durationMs } = this.#options;
    return { holder, term: this.#term, durationMs, released };
  }

  #tell(): void {
    if (this.held === this.#told) return;
    this.#told = this.held;
    this.#options.onChange?.(this.#told);
  }
}

function sameEnd(left: LeaseEnd, right: LeaseEnd): boolean {
  return left.stream === right.stream && left.sequence === right.sequence && left.stored === right.stored;
}
