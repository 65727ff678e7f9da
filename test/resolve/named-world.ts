import type { ResolvedName } from "../../dataplane/resolve/resolve.ts";
import { ResolvedAddresses } from "../../dataplane/resolve/resolved-addresses.ts";
import type { Server } from "../../model/resource.ts";

type Said = Omit<ResolvedName, "missing" | "addresses"> & {
  readonly addresses: readonly string[];
  readonly missing?: ResolvedName["missing"];
};

/** Names as a test says; everything that is asked and told. */
export class NamedWorld {
  readonly names = new Map<string, Said | "failing" | "never">();
  readonly asked: string[] = [];
  readonly told: string[] = [];
  readonly faults: string[] = [];
  readonly addresses: ResolvedAddresses;
  inFlight = 0;
  mostInFlight = 0;

  constructor() {
    this.addresses = new ResolvedAddresses({
      resolve: (host, signal) => this.#resolve(host, signal),
      nowMs: Date.now,
      random: () => 0,
      onChange: (server) => {
        const how = this.addresses.isReachable(server) ? "has addresses" : "has none";
        this.told.push(`${server.slice("farms/f/servers/".length)} ${how}`);
      },
      onFault: (host, why) => this.faults.push(`${host}: ${why}`),
    });
  }

  say(host: string, ttlMs: number, ...addresses: readonly string[]): void {
    this.names.set(host, { addresses, ttlMs });
  }

  put(server: Server, before: Server | null = null): void {
    this.addresses.apply([{ before, after: server }]);
  }

  async #resolve(host: string, signal: AbortSignal): Promise<ResolvedName> {
    this.asked.push(host);
    this.inFlight += 1;
    this.mostInFlight = Math.max(this.mostInFlight, this.inFlight);
    try {
      await new Promise((resolve, reject) => {
        setTimeout(resolve, 1);
        signal.addEventListener("abort", () => reject(new Error("given up")));
      });
      const said = this.names.get(host) ?? { addresses: [], ttlMs: 5000 };
      if (said === "never")
        await new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("given up"))));
      if (typeof said === "string") throw new Error("no resolver answers");
      return { missing: null, ...said, addresses: said.addresses as never };
    } finally {
      this.inFlight -= 1;
    }
  }
}
