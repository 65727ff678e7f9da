import { type HostAddress, isHostAddress, type SocketAddress, splitSocketAddress } from "../../model/address.ts";
import type { Change } from "../../model/configuration.ts";
import type { ServerResourceName } from "../../model/resource-name.ts";
import type { Server } from "../../model/resource.ts";
import { NamedPlace } from "./named-place.ts";
import { NameWatch } from "./name-watch.ts";
import type { Resolve } from "./resolve.ts";
import type { ServerAddresses } from "./server-addresses.ts";
import type { WatchedName } from "./watched-name.ts";

export interface ResolvedAddressesParts {
  readonly resolve: Resolve;
  /** Milliseconds of a monotonic clock. */
  readonly nowMs: () => number;
  /** From 0 to below 1, as Math.random. */
  readonly random: () => number;
  /** The server has got or lost addresses, or has none yet: a server is taken to have one until then. */
  readonly onChange: (server: ServerResourceName) => void;
  /** Hears, in a sentence, that a name can't be resolved: the first of failures that follow each other. */
  readonly onFault?: (host: string, why: string) => void;
}

/** An address of a server: where it is a name, whose, and what is known of it. */
interface KnownAddress {
  readonly address: SocketAddress | HostAddress;
  readonly named: { readonly name: WatchedName; readonly place: NamedPlace } | null;
}

interface KnownServer {
  readonly own: KnownAddress;
  readonly check: KnownAddress | null;
}

/**
 * Where servers are: as configured, or at one of the addresses of their name, in turn. All servers are looked up in one map,
 * so that an IP address costs no more than that. A server's `address` may also be its `checkAddress`, for whoever checks.
 */
export class ResolvedAddresses implements ServerAddresses {
  readonly #parts: ResolvedAddressesParts;
  readonly #servers = new Map<ServerResourceName, KnownServer>();
  readonly #watch: NameWatch;

  constructor(parts: ResolvedAddressesParts) {
    this.#parts = parts;
    const { resolve, nowMs, random, onFault = () => undefined } = parts;
    this.#watch = new NameWatch({ resolve, nowMs, random, onFault, onChange: (name) => this.#changed(name) });
  }

  /** Names that are watched. */
  get size(): number {
    return this.#watch.size;
  }

  apply(changes: readonly Change[]): void {
    for (const { before, after } of changes) {
      if (after?.kind === "server") this.#put(after);
      else if (before?.kind === "server") this.#remove(before.name);
    }
  }

  next(server: Server): SocketAddress | undefined {
    const known = this.#known(server);
    // Not applied yet, or not any more.
    if (known === undefined) return isHostAddress(server.address) ? undefined : server.address;
    if (known.named === null) return known.address as SocketAddress;
    return known.named.place.next(this.#parts.nowMs());
  }

  isReachable(server: ServerResourceName): boolean {
    return this.#servers.get(server)?.own.named?.place.isReachable ?? true;
  }

  failed(server: Server, address: SocketAddress): void {
    this.#known(server)?.named?.place.failed(address, this.#parts.nowMs());
  }

  succeeded(server: Server, address: SocketAddress): void {
    this.#known(server)?.named?.place.succeeded(address);
  }

  /** Gives up what is asked for. */
  close(): void {
    this.#watch.close();
  }

  #known(server: Server): KnownAddress | undefined {
    const known = this.#servers.get(server.name);
    if (known?.own.address === server.address) return known.own;
    return known?.check?.address === server.address ? known.check : undefined;
  }

  #put(server: Server): void {
    const { name, address, checkAddress } = server;
    const before = this.#servers.get(name);
    const moved = before?.own.address !== address;
    const wasNamed = before?.own.named != null;
    const own = before !== undefined && !moved ? before.own : this.#know(address, name);
    const check =
      checkAddress === (before?.check?.address ?? null)
        ? (before?.check ?? null)
        : checkAddress && this.#know(checkAddress, null);
    this.#servers.set(name, { own, check });
    if (before !== undefined && before.own !== own) this.#forget(before.own);
    if (before?.check != null && before.check !== check) this.#forget(before.check);
    if (moved && (own.named !== null || wasNamed)) this.#parts.onChange(name);
  }

  #remove(name: ServerResourceName): void {
    const known = this.#servers.get(name);
    if (known === undefined) return;
    this.#servers.delete(name);
    this.#forget(known.own);
    if (known.check !== null) this.#forget(known.check);
  }

  #know(address: SocketAddress | HostAddress, server: ServerResourceName | null): KnownAddress {
    if (!isHostAddress(address)) return { address, named: null };
    const { host, port } = splitSocketAddress(address);
    const name = this.#watch.watch(host);
    const place = new NamedPlace(port);
    place.put(name.addresses);
    name.places.set(place, server);
    return { address, named: { name, place } };
  }

  #forget({ named }: KnownAddress): void {
    if (named === null) return;
    named.name.places.delete(named.place);
    if (named.name.places.size === 0) this.#watch.forget(named.name);
  }

  #changed(name: WatchedName): void {
    for (const server of name.places.values()) if (server !== null) this.#parts.onChange(server);
  }
}
