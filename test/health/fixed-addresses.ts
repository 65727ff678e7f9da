import { isHostAddress, type SocketAddress } from "../../model/address.ts";
import type { Server } from "../../model/resource.ts";
import type { ServerAddresses } from "../../dataplane/resolve/server-addresses.ts";

/** Servers are at their own address; a name has none. Remembers what it was told. */
export class FixedAddresses implements ServerAddresses {
  readonly told: string[] = [];

  next(server: Server): SocketAddress | undefined {
    return isHostAddress(server.address) ? undefined : server.address;
  }

  isReachable(): boolean {
    return true;
  }

  failed(server: Server, address: SocketAddress): void {
    this.told.push(`failed ${server.name} ${address}`);
  }

  succeeded(server: Server, address: SocketAddress): void {
    this.told.push(`succeeded ${server.name} ${address}`);
  }
}
