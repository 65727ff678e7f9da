import type { HealthReason } from "../../model/health-reason.ts";
import type { CheckResult } from "./check-result.ts";

/** How many checks in a row turn a verdict. */
export interface RiseAndFall {
  readonly rise: number;
  readonly fall: number;
}

/**
 * What checks say of one server. Before its first check it is up; the first result, whatever it is, decides at once, as in
 * HAProxy (where a server starts "up, but will fall down at first failure"): a node that starts amid an outage does not send
 * clients to a dead server for as many intervals as `fall` says. After that, `fall` failures in a row mark it down, and
 * `rise` passes in a row up again.
 */
export class CheckVerdict {
  #verdict: "up" | "down" | null = null;
  /** Checks in a row that went the other way. */
  #against = 0;
  #failure: { readonly reason: HealthReason; readonly detail: string } | null = null;
  #certificateExpiryMs: number | null = null;
  #lastMs: number | null = null;

  get isDown(): boolean {
    return this.#verdict === "down";
  }

  /** Some checks went the other way, and not enough of them yet. */
  get isChanging(): boolean {
    return this.#against > 0;
  }

  /** The last failed check. */
  get failure(): { readonly reason: HealthReason; readonly detail: string } | null {
    return this.#failure;
  }

  get certificateExpiryMs(): number | null {
    return this.#certificateExpiryMs;
  }

  /** When the last check ended; null before the first. */
  get lastMs(): number | null {
    return this.#lastMs;
  }

  take(result: CheckResult, policy: RiseAndFall, nowMs: number): void {
    // For want of a descriptor or a port here, which the server can't help.
    if (!result.passed && result.reason === "local_limit") return;
    this.#lastMs = nowMs;
    this.#certificateExpiryMs = result.certificateExpiryMs ?? this.#certificateExpiryMs;
    if (!result.passed) this.#failure = { reason: result.reason, detail: result.detail };
    const says = result.passed ? "up" : "down";
    if (says === this.#verdict) {
      this.#against = 0;
      return;
    }
    this.#against += 1;
    const needed = this.#verdict === null ? 1 : says === "up" ? policy.rise : policy.fall;
    if (this.#against < needed) return;
    this.#verdict = says;
    this.#against = 0;
  }
}
