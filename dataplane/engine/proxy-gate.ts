import { type Network, type NetworkBits, networkBits, networkContains } from "../../model/address.ts";
import type { ProxyHeaderFault } from "../../model/reason.ts";
import type { HelloOutcome } from "../hello/hello-outcome.ts";
import { readHello } from "../hello/hello-reader.ts";
import type { ProxyAddresses } from "../hello/proxy-header.ts";
import { readProxyHeader } from "../hello/read-proxy-header.ts";

/** What the first bytes of a connection are, to a listener that believes headers from some networks. */
export type GateOutcome =
  | { readonly outcome: "incomplete" }
  | {
      readonly outcome: "passed";
      /** Of the header; the client's own stream is behind it. */
      readonly bytes: number;
      /** Null where the connection's own hold. */
      readonly addresses: ProxyAddresses | null;
    }
  | Extract<HelloOutcome, { outcome: "rejected" }>;

const incomplete: GateOutcome = { outcome: "incomplete" };
const noHeader: GateOutcome = { outcome: "passed", bytes: 0, addresses: null };

/** Where each of the two versions' signatures begins; no TLS record does. */
const firstByteV1 = 0x50;
const firstByteV2 = 0x0d;

/** Judges PROXY protocol headers for one listener: who has to send one, and that nobody else does. */
export class ProxyGate {
  readonly #networks: readonly NetworkBits[];

  /** @param networks of balancers in front; empty for none */
  constructor(networks: readonly Network[]) {
    this.#networks = networks.map(networkBits);
  }

  /**
   * @param bytes all that came so far
   * @param peer the 4 or 16 bytes of the IP address that the connection comes from; asked only where it matters
   */
  judge(bytes: Uint8Array, peer: () => Uint8Array): GateOutcome {
    const begins = bytes[0] === firstByteV1 || bytes[0] === firstByteV2;
    if (!begins && this.#networks.length === 0) return noHeader;
    const trusted = this.#trusts(peer);
    const header = readProxyHeader(bytes);
    switch (header.outcome) {
      case "incomplete":
        return incomplete;
      case "absent":
        return trusted ? refused("proxy_missing") : noHeader;
      case "malformed":
        return refused(trusted ? header.reason : "proxy_untrusted");
      case "complete":
        return trusted ? passed(header.bytes, header.addresses) : refused("proxy_untrusted");
    }
  }
  #trusts(peer: () => Uint8Array): boolean {
    if (this.#networks.length === 0) return false;
    const address = peer();
    return this.#networks.some((network) => networkContains(network, address));
  }
}

/** The hello that is behind a header which passed; or what the header was refused for. */
export function helloBehind(gate: GateOutcome, bytes: Uint8Array, helloBytesMax: number): HelloOutcome {
  if (gate.outcome !== "passed") return gate;
  return readHello(gate.bytes === 0 ? bytes : bytes.subarray(gate.bytes), helloBytesMax);
}

function passed(bytes: number, addresses: ProxyAddresses | null): GateOutcome {
  return { outcome: "passed", bytes, addresses };
}

/** Without an alert: whoever talks so is a balancer, or poses as one. */
function refused(reason: ProxyHeaderFault): GateOutcome {
  return { outcome: "rejected", reason, recordVersion: 0 };
}
