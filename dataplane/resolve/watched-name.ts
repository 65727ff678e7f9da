import { type IpAddress, isIpv4 } from "../../model/address.ts";
import type { ServerResourceName } from "../../model/resource-name.ts";
import type { NamedPlace } from "./named-place.ts";
import type { ResolvedName as Answer } from "./resolve.ts";

/** More would be a mistake, or an attack; of more, the first in order are taken. */
const addressesMax = 16;

/** What a zone says of its times is kept within these: not asked for all the time, and not believed for days. */
const ttlMinMs = 1000;
const ttlMaxMs = 3_600_000;

/** After a failure, doubled with each further one up to the maximum. */
const retryMinMs = 1000;
const retryMaxMs = 30_000;

/** Beyond the time to live, as a part of it, at most: names that were first asked for together come apart. */
const jitter = 0.1;

/** One name, and all places that have it. */
export class WatchedName {
  readonly host: string;
  /** By the server whose address it is; null for an address that is only checked. */
  readonly places = new Map<NamedPlace, ServerResourceName | null>();
  addresses: readonly IpAddress[] = [];
  /** When it is to be asked for again; infinite while it is, or waits to be. */
  dueMs = Number.NEGATIVE_INFINITY;
  /** While it is asked for. */
  asking: AbortController | undefined;
  failures = 0;
  #wasAbsent = false;

  constructor(host: string) {
    this.host = host;
  }

  /**
   * Takes an answer. That the name has no address any more must be said twice, soon after each other, before the last ones
   * are given up: servers of one zone do not always agree.
   *
   * @returns whether the addresses changed
   */
  answered(answer: Answer, nowMs: number, random: number): boolean {
    this.failures = 0;
    const isAbsent = answer.addresses.length === 0;
    const doubtful = isAbsent && this.addresses.length > 0 && !this.#wasAbsent;
    this.#wasAbsent = isAbsent;
    const ttlMs = doubtful ? ttlMinMs : Math.min(ttlMaxMs, Math.max(ttlMinMs, answer.ttlMs));
    this.dueMs = nowMs + ttlMs * (1 + jitter * random);
    if (doubtful) return false;
    const kept = this.addresses.filter((ip) => answer.missing === (isIpv4(ip) ? "ipv4" : "ipv6"));
    const addresses = [...new Set([...answer.addresses, ...kept])].sort().slice(0, addressesMax);
    if (addresses.join() === this.addresses.join()) return false;
    this.addresses = addresses;
    for (const place of this.places.keys()) place.put(addresses);
    return true;
  }

  /** What was answered last stays. */
  failed(nowMs: number, random: number): void {
    const delayMs = Math.min(retryMaxMs, retryMinMs * 2 ** Math.min(this.failures, 10));
    this.failures += 1;
    this.dueMs = nowMs + delayMs * (1 + jitter * random);
  }
}
