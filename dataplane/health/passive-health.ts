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
  /** When the last failure became known. */
  readonly lastMs: number;
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
 *
 * Only what began after the last failure is news. A server that goes down fails all the attempts that were on their way,
 * which is one outage and not many; and the old connections that end with it say nothing of how it is now.
 */
export class PassiveHealth {
  readonly #failing = new Map<ServerResourceName, Failing>();

  /** An attempt that began at `startedMs` failed. */
  failed(server: ServerResourceName, reason: ConnectFailure, startedMs: number, nowMs: number): void {
    const before = this.#failing.get(server);
    // For want of a descriptor or a port here, which the server can't help.
    if (reason === "local_limit" || (before !== undefined && startedMs < before.lastMs)) return;
    const failures = (before?.failures ?? 0) + 1;
    const backoffMs = Math.min(backoffMaxMs, backoffMinMs * 2 ** Math.min(failures - 1, 16));
    const sinceMs = before?.sinceMs ?? nowMs;
    const untilMs = nowMs + backoffMs;
    this.#failing.set(server, { reason, sinceMs, lastMs: nowMs, failures, untilMs, probed: false });
  }

  /** A connection was made at `connectedMs`. */
  succeeded(server: ServerResourceName, connectedMs: number): void {
    const failing = this.#failing.get(server);
    if (failing !== undefined && connectedMs > failing.lastMs) this.#failing.delete(server);
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
