import type { SocketAddress } from "../../model/address.ts";
import type { ServerResourceName } from "../../model/resource-name.ts";
import type { Server } from "../../model/resource.ts";

/** Where servers are now: their own address, or those that their name resolves to. */
export interface ServerAddresses {
  /** The next of its addresses, those that failed lately after the others; undefined where its name has none. */
  next(server: Server): SocketAddress | undefined;
  /** Whether it has an address at all. */
  isReachable(server: ServerResourceName): boolean;
  /** An attempt at this address failed, or succeeded. */
  failed(server: Server, address: SocketAddress): void;
  succeeded(server: Server, address: SocketAddress): void;
}
