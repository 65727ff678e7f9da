import { timingSafeEqual } from "node:crypto";
import { type EmergencyTokenFile, EmergencyTokenUnusable, sha256 } from "./emergency-token-file.ts";
import { Refused } from "./refused.ts";

/** The call's metadata that has the token. */
export const emergencyTokenKey = "switchyard-emergency-token";

/** Failed attempts in {@link windowMs}; then nobody is let in, nor is any token looked at, until the oldest is over. */
const failuresMax = 5;
const windowMs = 60_000;

/** Longest part of what a caller claims that is logged. */
const claimMax = 256;

export interface EmergencyTokenParts {
  /** Undefined: no emergency release is allowed. */
  readonly file: Pick<EmergencyTokenFile, "digest"> | undefined;
  readonly monotonicMs: () => number;
  /** Hears of attempts that failed. */
  readonly onWarning: (message: string) => void;
}

/** Who says to be asking. */
export interface Claimant {
  readonly author: string;
  /** Address of the connection. */
  readonly peer: string;
}

/** Lets in whoever has the emergency token. */
export class EmergencyToken {
  readonly #parts: EmergencyTokenParts;
  /** Times of the attempts that failed, the oldest first. */
  #failures: number[] = [];

  constructor(parts: EmergencyTokenParts) {
    this.#parts = parts;
  }

  /** @throws Refused unless `given` is the token */
  admit(given: string | undefined, by: Claimant): void {
    const { file, monotonicMs } = this.#parts;
    if (file === undefined)
      throw this.#denied("emergency releases are off: start the control plane with --emergency-token-file FILE", by);
    const nowMs = monotonicMs();
    this.#failures = this.#failures.filter((atMs) => atMs > nowMs - windowMs);
    const [oldest] = this.#failures;
    if (oldest !== undefined && this.#failures.length >= failuresMax) {
      const seconds = Math.ceil((oldest + windowMs - nowMs) / 1000);
      throw new Refused("TOO_MANY", `${failuresMax} wrong emergency tokens in a minute; try again in ${seconds} s`);
    }
    const wanted = this.#wanted(file, by);
    // The digests are of one length, and how long the comparison takes says nothing of either token.
    if (given !== undefined && timingSafeEqual(sha256(given), wanted)) return;
    this.#failures.push(nowMs);
    const what =
      given === undefined
        ? `the call has no emergency token (metadata ${emergencyTokenKey})`
        : "the emergency token is wrong";
    throw this.#denied(what, by);
  }

  #wanted(file: Pick<EmergencyTokenFile, "digest">, by: Claimant): Buffer {
    try {
      return file.digest();
    } catch (error) {
      if (!(error instanceof EmergencyTokenUnusable)) throw error;
      throw this.#denied(error.message, by);
    }
  }

  #denied(what: string, { author, peer }: Claimant): Refused {
    const claimed = JSON.stringify(author.slice(0, claimMax));
    this.#parts.onWarning(`an emergency release was denied: ${what}; it claims to be by ${claimed}, from ${peer}`);
    return new Refused("EMERGENCY_DENIED", what);
  }
}
