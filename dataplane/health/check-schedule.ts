import type { ServerResourceName } from "../../model/resource-name.ts";
import { textHash } from "../choose/balance/key-hash.ts";
import { type Due, DueQueue } from "./due-queue.ts";

/** When a server is checked: that part of a farm's `HealthCheck`. */
export interface CheckTiming {
  readonly intervalMs: number;
  readonly fastIntervalMs: number;
  readonly jitterPercent: number;
}

export interface CheckScheduleOptions {
  /** Checks that run at once, on the whole node. */
  readonly inFlightMax: number;
  /** From 0 to below 1, as Math.random. */
  readonly random: () => number;
}

interface Planned extends Due {
  readonly server: ServerResourceName;
  timing: CheckTiming;
  /** Since when its check runs; null while none does. */
  runningSinceMs: number | null;
  /** It was planned, and has not been checked since. */
  isNew: boolean;
}

/** Where a server stands in the interval has nothing to do with where balancers put it. */
const spreadSeed = 0x811c_9dc5;

/** A server that is new is checked within this, however long its interval. */
const firstCheckWithinMs = 2000;

/**
 * When which server is checked next. Pure: time comes in with each call.
 *
 * Servers that come together are spread over the interval by a hash of their names, turned by a number of
 * the node's own; where the interval is long, the first check comes soon, and the second is the one that is spread. After that each goes at its own pace, with
 * jitter. What is overdue, for want of room or of time, is taken in the order in which it was due.
 */
export class CheckSchedule {
  readonly #options: CheckScheduleOptions;
  readonly #planned = new Map<ServerResourceName, Planned>();
  readonly #queue = new DueQueue<Planned>();
  /** Turns the order by hash, so that the nodes of a fleet do not check a server all at once. */
  readonly #turn: number;
  #inFlight = 0;

  constructor(options: CheckScheduleOptions) {
    this.#options = options;
    this.#turn = options.random();
  }

  /** Servers that are checked. */
  get size(): number {
    return this.#planned.size;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** When {@link take} will have something; Infinity for never, or not before a check is {@link done}. */
  get nextMs(): number {
    return this.#inFlight < this.#options.inFlightMax
      ? (this.#queue.first?.dueMs ?? Number.POSITIVE_INFINITY)
      : Infinity;
  }

  /** Takes a server in, or gives one another timing: a shorter interval brings its next check nearer, none puts it off. */
  put(server: ServerResourceName, timing: CheckTiming, nowMs: number): void {
    const known = this.#planned.get(server);
    const spread = this.#spreadOf(server);
    if (known === undefined) {
      const planned = { server, timing, runningSinceMs: null, isNew: true, dueMs: 0, position: -1 };
      this.#planned.set(server, planned);
      this.#queue.put(planned, nowMs + spread * Math.min(timing.intervalMs, firstCheckWithinMs));
      return;
    }
    if (isSameTiming(known.timing, timing)) return;
    known.timing = timing;
    if (known.runningSinceMs === null)
      this.#queue.put(known, Math.min(known.dueMs, nowMs + spread * timing.intervalMs));
  }

  /** A check of it that runs no longer counts. */
  remove(server: ServerResourceName): void {
    const planned = this.#planned.get(server);
    if (planned === undefined) return;
    this.#planned.delete(server);
    this.#queue.remove(planned);
    if (planned.runningSinceMs !== null) this.#inFlight -= 1;
  }

  /** The server that is due, if one is and there is room: its check runs from now until {@link done}. */
  take(nowMs: number): ServerResourceName | undefined {
    const { first } = this.#queue;
    if (first === undefined || this.nextMs > nowMs) return undefined;
    this.#queue.remove(first);
    first.runningSinceMs = nowMs;
    this.#inFlight += 1;
    return first.server;
  }

  /** The server's check has ended; `isChanging`: its state is, and the next comes at the fast interval. */
  done(server: ServerResourceName, isChanging: boolean, nowMs: number): void {
    const planned = this.#planned.get(server);
    if (planned === undefined || planned.runningSinceMs === null) return;
    const { intervalMs, fastIntervalMs, jitterPercent } = planned.timing;
    const jitter = 1 + (jitterPercent / 100) * (this.#options.random() * 2 - 1);
    const isSpread = planned.isNew && intervalMs > firstCheckWithinMs;
    const pauseMs = isChanging ? fastIntervalMs : isSpread ? intervalMs * this.#spreadOf(server) : intervalMs;
    this.#inFlight -= 1;
    // From the beginning of the check: the interval is what the operator wrote, however long a check takes.
    this.#queue.put(planned, Math.max(nowMs, planned.runningSinceMs + pauseMs * jitter));
    planned.runningSinceMs = null;
    planned.isNew = false;
  }

  /** Brings the server's next check forward to now, where none runs. */
  hasten(server: ServerResourceName, nowMs: number): void {
    const planned = this.#planned.get(server);
    if (planned?.runningSinceMs === null && planned.dueMs > nowMs) this.#queue.put(planned, nowMs);
  }

  /** From 0 to below 1. */
  #spreadOf(server: ServerResourceName): number {
    return (textHash(server, spreadSeed) / 2 ** 32 + this.#turn) % 1;
  }
}

function isSameTiming(one: CheckTiming, other: CheckTiming): boolean {
  const { intervalMs, fastIntervalMs, jitterPercent } = one;
  return (
    intervalMs === other.intervalMs && fastIntervalMs === other.fastIntervalMs && jitterPercent === other.jitterPercent
  );
}
