import type { PassiveHealthPolicy } from "../../model/farm-policy.ts";
import type { HealthReason } from "../../model/health-reason.ts";

/** A probe that has not failed this long after its connect timeout has succeeded: failures are told at once. */
const probeMarginMs = 1000;

interface Ejection {
  /** How often in a row. */
  readonly times: number;
  /** Until when it is passed over. */
  readonly untilMs: number;
  /** A connection was sent to it meanwhile, and shows by `untilMs` whether it answers. */
  readonly probed: boolean;
  /** It had been passed over for its whole time before that. */
  readonly lasted: boolean;
}

/**
 * What connections show of one server: after some failures in a row it is ejected, passed over for a while; then it gets one
 * connection to show whether it answers again, and the others wait for how that one fares, so that a server that is still
 * dead costs one client a retry, not all of them. Time comes in with each call, in milliseconds.
 *
 * Only what began after the last failure is news. A server that goes down fails all the attempts that were on their way,
 * which is one outage and not many; and the old connections that end with it say nothing of how it is now.
 */
export class ConnectionVerdict {
  #failures = 0;
  #lastFailureMs = Number.NEGATIVE_INFINITY;
  #reason: HealthReason = "connect_other";
  #ejection: Ejection | null = null;

  /** Ejected, until a connection has shown that it answers. */
  get isEjected(): boolean {
    return this.#ejection !== null;
  }

  /** Failures since it last answered. */
  get failures(): number {
    return this.#failures;
  }

  /** Of the last failure. */
  get reason(): HealthReason {
    return this.#reason;
  }

  /** Whether it is to be passed over now. Once its time is up it is not: the next connection probes it. */
  isPassedOver(nowMs: number): boolean {
    return this.#ejection !== null && nowMs < this.#ejection.untilMs;
  }

  /** Whether a connection was sent to it as a probe, and has not failed in its time. */
  hasWithstood(nowMs: number): boolean {
    return this.#ejection !== null && this.#ejection.probed && nowMs >= this.#ejection.untilMs;
  }

  /** An attempt that began at `startedMs` failed. `mayEject` is asked before the server is ejected that was not. */
  failed(
    reason: HealthReason,
    startedMs: number,
    nowMs: number,
    policy: PassiveHealthPolicy,
    mayEject: () => boolean,
  ): void {
    if (startedMs < this.#lastFailureMs) return;
    this.#failures += 1;
    this.#lastFailureMs = nowMs;
    this.#reason = reason;
    if (this.#ejection === null && (this.#failures < policy.failures || !mayEject())) return;
    const times = (this.#ejection?.times ?? 0) + 1;
    const lastsMs = Math.min(policy.ejectionMaxMs, policy.ejectionMinMs * 2 ** Math.min(times - 1, 16));
    this.#ejection = { times, untilMs: nowMs + lastsMs, probed: false, lasted: false };
  }

  /** A connection is sent to the server: where it was ejected, this is the probe. */
  chosen(nowMs: number, connectTimeoutMs: number): void {
    if (this.#ejection === null || this.#ejection.probed) return;
    const { times, untilMs } = this.#ejection;
    const lasted = nowMs >= untilMs;
    this.#ejection = { times, untilMs: nowMs + connectTimeoutMs + probeMarginMs, probed: true, lasted };
  }

  /** A connection was made at `connectedMs`. Gives what {@link release} does. */
  succeeded(connectedMs: number): boolean {
    return connectedMs > this.#lastFailureMs && this.release();
  }

  /**
   * As if it had never failed; what was on its way when it last did is still no news. Gives whether an ejection ended that
   * had lasted its whole time.
   */
  release(): boolean {
    const lasted = this.#ejection?.lasted ?? false;
    this.#failures = 0;
    this.#ejection = null;
    return lasted;
  }
}
