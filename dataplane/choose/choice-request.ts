import type { Server } from "../../model/resource.ts";
import type { ServerResourceName } from "../../model/resource-name.ts";

/** One connection that wants a server of a farm. */
export interface ChoiceRequest {
  /** Servers that did not answer this connection. */
  readonly tried: ReadonlySet<ServerResourceName>;
  /** Servers that can resume what the client offers, in any order; empty for none. */
  readonly preferred: readonly ServerResourceName[];
  /** The client's address: 4 or 16 bytes; null where it is not known. */
  readonly source: Uint8Array | null;
  /** The announced name's bytes, normalised; empty for none. */
  readonly nameBytes: Uint8Array;
  /** The node's own region; empty for none. */
  readonly region: string;
  /** From 0 to below 1, as Math.random. */
  readonly random: () => number;
}

export type ServerChoice =
  | {
      readonly server: Server;
      /** What it was chosen by. `panic`: too few are healthy, and health was not looked at. */
      readonly by: "affinity" | "source" | "balance" | "panic";
    }
  /** Every server that could be chosen has no room: the connection may wait. */
  | { readonly none: "full" }
  | { readonly none: "no_server" };
