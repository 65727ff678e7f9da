import type { ConnectFailure } from "../../model/reason.ts";
import type { ServerResourceName } from "../../model/resource-name.ts";

/** A failing server is left alone this long, then tried again; doubled with each further failure, up to the maximum. */
const backoffMinMs = 1000;
const backoffMaxMs = 30_000;

/** A probe that has not failed this long after its connect timeout has succeeded: failures are told at once. */
const probeMarginMs = 1000;

/** What is known of a server that failed. */
export interface Failing {
  readonly reason: ConnectFailure;
  /** Milliseconds on the clock that the caller uses. */
  readonly sinceMs: number;
  readonly failures: number;
  /** Until when it is passed over. */
  readonly untilMs: number;
  /** A connection was sent to it meanwhile, and shows by `untilMs` whether it answers. */
  readonly probed: boolean;
}

/**
 * Health as connections show it: a server that can't be reached is passed over for a while, then gets one connection to
 * show whether it answers again; the others wait for how that one fares, so that a server that is still dead costs one
 * client a retry, not all of them. Time comes in with each call, in milliseconds.
 */
export class PassiveHealth {
  readonly #failing = new Map<ServerResourceName, Failing>();

  failed(server: ServerResourceName, reason: ConnectFailure, nowMs: number): void {
    const before = this.#failing.get(server);
    const failures = (before?.failures ?? 0) + 1;
    const backoffMs = Math.min(backoffMaxMs, backoffMinMs * 2 ** Math.min(failures - 1, 16));
    const sinceMs = before?.sinceMs ?? nowMs;
    this.#failing.set(server, { reason, sinceMs, failures, untilMs: nowMs + backoffMs, probed: false });
  }

  succeeded(server: ServerResourceName): void {
    this.#failing.delete(server);
  }

  /** For a server that has gone, or whose address is another. */
  forget(server: ServerResourceName): void {
    this.#failing.delete(server);
  }

  /** Whether the server is to be passed over now. Once its time is up it is not: the next connection probes it. */
  isFailing(server: ServerResourceName, nowMs: number): boolean {
    const failing = this.#failing.get(server);
    if (failing === undefined) return false;
    if (nowMs < failing.untilMs) return true;
    if (failing.probed) this.#failing.delete(server);
    return false;
  }

  /** A connection is sent to the server: where it was failing, this is the probe. */
  chosen(server: ServerResourceName, nowMs: number, connectTimeoutMs: number): void {
    const failing = this.#failing.get(server);
    if (failing === undefined || failing.probed) return;
    this.#failing.set(server, { ...failing, untilMs: nowMs + connectTimeoutMs + probeMarginMs, probed: true });
  }

  /** Servers that failed and have not answered since. */
  failing(nowMs: number): ReadonlyMap<ServerResourceName, Failing> {
    for (const server of this.#failing.keys()) this.isFailing(server, nowMs);
    return this.#failing;
  }
}
