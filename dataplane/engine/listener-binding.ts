import { createServer, type Server, type Socket } from "node:net";
import { type SocketAddress, splitSocketAddress } from "../../model/address.ts";
import { bindFailure } from "./bind-failure.ts";
import type { BindFailure, ListenerSettings } from "./engine.ts";
import { peerAddress } from "./peer-address.ts";
import { ProxyGate } from "./proxy-gate.ts";
import { socketSettings } from "./socket-settings.ts";

/** Connections that may wait in the kernel to be accepted; it lowers this to net.core.somaxconn (4096 by default). */
const acceptBacklog = 4096;

/** What a listener needs of its engine. */
export interface ListenerHost {
  accepted(binding: ListenerBinding, client: Socket): void;
  /** accept(2) failed. */
  acceptFailed(error: Error): void;
}

/** The addresses that one listener has bound. Changes are carried out one after the other. */
export class ListenerBinding {
  readonly name: string;
  /** Connections accepted here and not yet closed. */
  connections = 0;
  #settings: ListenerSettings;
  #gate: ProxyGate;
  readonly #host: ListenerHost;
  /** By the address that was asked for, which may have port 0. */
  readonly #servers = new Map<SocketAddress, Server>();
  #changes: Promise<unknown> = Promise.resolve();
  #changesPending = 0;

  constructor(settings: ListenerSettings, host: ListenerHost) {
    this.name = settings.name;
    this.#settings = settings;
    this.#gate = new ProxyGate(settings.proxyNetworks);
    this.#host = host;
  }

  /** In force for what is accepted now. */
  get settings(): ListenerSettings {
    return this.#settings;
  }

  /** What is believed of PROXY headers. */
  get gate(): ProxyGate {
    return this.#gate;
  }

  /** Nothing is bound, accepted or to be done. */
  get unused(): boolean {
    return this.#servers.size === 0 && this.connections === 0 && this.#changesPending === 0;
  }

  /** Addresses bound now, in the order of the settings. */
  boundAddresses(): SocketAddress[] {
    const bound: SocketAddress[] = [];
    for (const address of this.#settings.addresses) {
      const at = this.#servers.get(address)?.address();
      if (typeof at === "object" && at !== null) bound.push(peerAddress(at.address, at.port));
    }
    return bound;
  }

  /** Never rejects: what can't be bound is answered. */
  async apply(settings: ListenerSettings): Promise<readonly BindFailure[]> {
    this.#changesPending += 1;
    const change = this.#changes.then(async () => {
      const failures = await this.#change(settings);
      this.#changesPending -= 1;
      return failures;
    });
    this.#changes = change;
    return change;
  }

  /** Stops accepting, after the changes that were asked for before. */
  async release(): Promise<void> {
    await this.apply({ ...this.#settings, addresses: [] });
  }

  async #change(settings: ListenerSettings): Promise<readonly BindFailure[]> {
    this.#settings = settings;
    this.#gate = new ProxyGate(settings.proxyNetworks);
    const wanted = [...new Set(settings.addresses)];
    const missing = wanted.filter((address) => !this.#servers.has(address));
    const refused = await this.#bindAll(missing);
    for (const [address, server] of this.#servers) {
      if (wanted.includes(address)) continue;
      this.#servers.delete(address);
      // The descriptor is given back at once; the callback would wait for the connections that were accepted here.
      server.close();
    }
    // New addresses come first, so that there is no gap; one that was in the way of itself (`0.0.0.0:443` and then
    // `127.0.0.1:443`) can be bound only now.
    const retried = refused.filter(({ reason }) => reason === "address_in_use").map(({ address }) => address);
    const others = refused.filter(({ reason }) => reason !== "address_in_use");
    return [...others, ...(await this.#bindAll(retried))];
  }

  async #bindAll(addresses: readonly SocketAddress[]): Promise<BindFailure[]> {
    const failures: BindFailure[] = [];
    for (const address of addresses) {
      try {
        this.#servers.set(address, await this.#bind(address));
      } catch (error) {
        failures.push(bindFailure(address, error));
      }
    }
    return failures;
  }

  #bind(address: SocketAddress): Promise<Server> {
    const { host, port } = splitSocketAddress(address);
    const server = createServer(socketSettings, (client) => this.#host.accepted(this, client));
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      // exclusive: a process of a cluster binds for itself, and does not get the primary's socket.
      // ipv6Only: `[::]` must not take the IPv4 port too, which another listener may want (RFC 3493 section 5.3).
      const options = { host, port, backlog: acceptBacklog, exclusive: true, ipv6Only: host === "::" };
      server.listen(options, () => {
        server.off("error", reject);
        server.on("error", (error) => this.#host.acceptFailed(error));
        resolve(server);
      });
    });
  }
}
