import { timingSafeEqual } from "node:crypto";
import { type EmergencyTokenFile, EmergencyTokenUnusable, sha256 } from "./emergency-token-file.ts";
import { Refused } from "./refused.ts";

/** The call's metadata that has the token. */
export const emergencyTokenKey = "switchyard-emergency-token";

/** Failed attempts in {@link windowMs} that are told one by one; of more only that there are more. */
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

/**
 * Lets in whoever has the emergency token, however many others try: whoever can reach the port could keep the operator out otherwise. What
 * makes guessing hopeless is the token's length.
 */
export class EmergencyToken {
  readonly #parts: EmergencyTokenParts;
  /** Times of the attempts that failed, the oldest first. */
  #failures: number[] = [];
  /** There were more than those, which was told. */
  #moreTold = false;

  constructor(parts: EmergencyTokenParts) {
    this.#parts = parts;
  }

  /** @throws Refused unless `given` is the token */
  admit(given: string | undefined, by: Claimant): void {
    const { file } = this.#parts;
    if (file === undefined)
      throw this.#denied("emergency releases are off: start the control plane with --emergency-token-file FILE", by);
    const wanted = this.#wanted(file, by);
    // The digests are of one length, and how long the comparison takes says nothing of either token.
    if (given !== undefined && timingSafeEqual(sha256(given), wanted)) return;
    const what =
      given === undefined
        ? `the call has no emergency token (metadata ${emergencyTokenKey})`
        : "the emergency token is wrong";
    const denied = this.#denied(what, by);
    if (!this.#moreTold) throw denied;
    throw new Refused("TOO_MANY", `${what}; more than ${failuresMax} emergency releases were denied in a minute`);
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
    this.#tell(`an emergency release was denied: ${what}; it claims to be by ${claimed}, from ${peer}`);
    return new Refused("EMERGENCY_DENIED", what);
  }

  /** Tells of an attempt; of those beyond the limit once, so that whoever can reach the port can't fill the log. */
  #tell(message: string): void {
    const { monotonicMs, onWarning } = this.#parts;
    const nowMs = monotonicMs();
    this.#failures = this.#failures.filter((atMs) => atMs > nowMs - windowMs);
    if (this.#failures.length < failuresMax) {
      this.#moreTold = false;
      this.#failures.push(nowMs);
      onWarning(message);
    } else if (!this.#moreTold) {
      this.#moreTold = true;
      onWarning("more emergency releases are being denied; they are not told one by one");
    }
  }
}
