import { ipBytes, type SocketAddress, splitSocketAddress } from "../../model/address.ts";
import type { HelloOutcome } from "../hello/hello-outcome.ts";
import { HelloReader } from "../hello/hello-reader.ts";
import type { ProxyAddresses } from "../hello/proxy-header.ts";
import type { HeldBytes } from "./held-bytes.ts";
import type { ProxyGate } from "./proxy-gate.ts";

/** What a client sends before it is decided on: a PROXY header where there is one, and its hello. */
export class Greeting {
  readonly #gate: ProxyGate;
  readonly #reader: HelloReader;
  readonly #peer: SocketAddress;
  #headerPassed = false;
  #addresses: ProxyAddresses | null = null;

  /** @param peer that the connection comes from */
  constructor(gate: ProxyGate, helloBytesMax: number, peer: SocketAddress) {
    this.#gate = gate;
    this.#reader = new HelloReader(helloBytesMax);
    this.#peer = peer;
  }

  /** As a header says that was believed; else null. */
  get addresses(): ProxyAddresses | null {
    return this.#addresses;
  }

  /**
   * @param held all that came and is to be passed on, with `chunk` as its last; a header that passed is dropped from it
   */
  read(held: HeldBytes, chunk: Uint8Array): HelloOutcome {
    if (this.#headerPassed) return this.#reader.push(chunk);
    const gate = this.#gate.judge(held.bytes, () => ipBytes(splitSocketAddress(this.#peer).host) as Uint8Array);
    if (gate.outcome !== "passed") return gate;
    this.#headerPassed = true;
    this.#addresses = gate.addresses;
    held.drop(gate.bytes);
    return this.#reader.push(held.bytes);
  }
}
