import type { IpAddress } from "../../model/address.ts";

/** What a name resolves to. */
export interface ResolvedName {
  /** None where there is no such name, or it has no address. */
  readonly addresses: readonly IpAddress[];
  /** How long that may be believed. */
  readonly ttlMs: number;
  /** The family that could not be asked for while the other could. */
  readonly missing: "ipv4" | "ipv6" | null;
}

/**
 * Finds the addresses of a name: lower-case, without a trailing dot. Rejects with a sentence where it can't be told, as no
 * resolver answers or the one that does fails; gives up when the signal aborts.
 */
export type Resolve = (host: string, signal: AbortSignal) => Promise<ResolvedName>;
