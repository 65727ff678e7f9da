import { type IpAddress, joinSocketAddress, type SocketAddress } from "../../model/address.ts";

/** An address that failed goes behind the others for so long. */
const failureRememberedMs = 10_000;

/** One server's port at the addresses of a name: whose turn it is, and which of them failed lately. */
export class NamedPlace {
  readonly port: number;
  #addresses: readonly SocketAddress[] = [];
  /** Of present addresses only. */
  readonly #failedAtMs = new Map<SocketAddress, number>();
  #turn = 0;

  constructor(port: number) {
    this.port = port;
  }

  get isReachable(): boolean {
    return this.#addresses.length > 0;
  }

  put(ips: readonly IpAddress[]): void {
    this.#addresses = ips.map((ip) => joinSocketAddress(ip, this.port));
    for (const address of this.#failedAtMs.keys())
      if (!this.#addresses.includes(address)) this.#failedAtMs.delete(address);
  }

  /** In turn; where all have failed lately, the one whose failure is the longest ago. */
  next(nowMs: number): SocketAddress | undefined {
    const addresses = this.#addresses;
    let best: SocketAddress | undefined;
    let bestFailedMs = Number.POSITIVE_INFINITY;
    for (let step = 0; step < addresses.length; step += 1) {
      const index = (this.#turn + step) % addresses.length;
      const address = addresses[index] as SocketAddress;
      const failedMs = this.#failedMs(address, nowMs);
      if (failedMs >= bestFailedMs) continue;
      [best, bestFailedMs] = [address, failedMs];
      if (failedMs !== Number.NEGATIVE_INFINITY) continue;
      this.#turn = (index + 1) % addresses.length;
      break;
    }
    return best;
  }

  failed(address: SocketAddress, nowMs: number): void {
    if (this.#addresses.includes(address)) this.#failedAtMs.set(address, nowMs);
  }

  succeeded(address: SocketAddress): void {
    this.#failedAtMs.delete(address);
  }

  #failedMs(address: SocketAddress, nowMs: number): number {
    if (this.#failedAtMs.size === 0) return Number.NEGATIVE_INFINITY;
    const atMs = this.#failedAtMs.get(address);
    if (atMs === undefined || nowMs - atMs >= failureRememberedMs) return Number.NEGATIVE_INFINITY;
    return atMs;
  }
}
