import type { IpAddress, SocketAddress } from "../model/address.ts";
import type { Farm, Server } from "../model/resource.ts";
import type { FarmName, ServerResourceName } from "../model/resource-name.ts";
import type { OfferedSession } from "./affinity/offered-session.ts";
import type { ConnectionId } from "./engine/engine.ts";
import type { ServerAnswer } from "./hello/flight-facts.ts";
import type { ServerFlightReader } from "./hello/server-flight-reader.ts";

const noneTried: ReadonlySet<ServerResourceName> = new Set();

/** Where a connection is to go: to a server that its farm chooses, or to the one that its route names. */
export type Destination =
  | { readonly farm: FarmName; readonly named: null }
  | { readonly farm: FarmName; readonly named: ServerResourceName };

/** What came of the session that a client offered to resume; `offered` until the server has answered. */
export type Resumption = "offered" | "accepted" | "refused";

/** What the node keeps of a connection while the engine has it: the verdict's context. */
export class RoutedConnection {
  readonly id: ConnectionId;
  readonly listener: string;
  /** Normalised, null for none. */
  readonly serverName: string | null;
  /** The route's name; null where the listener's default was taken. */
  readonly route: string | null;
  /** The revision that the decision was made with. */
  readonly revision: number;
  destination: Destination | null = null;
  farm: Farm | null = null;
  /** The server that it was last sent to, and the address that was tried. */
  server: Server | null = null;
  address: SocketAddress | null = null;
  /** When it was sent there, on the node's monotonic clock; 0 where it was not. */
  sentAtMs = 0;
  /** What that server was chosen by; null where its route names it. */
  chosenBy: "affinity" | "source" | "balance" | "panic" | null = null;
  /** It counts among the connections of its server. */
  holdsPlace = false;
  /** Servers that did not answer this connection. */
  tried: ReadonlySet<ServerResourceName> = noneTried;
  /** What the server's first bytes were. */
  answer: ServerAnswer = "nothing";
  /** Null where the client offered nothing to resume. */
  resumption: Resumption | null = null;
  /** Dropped as soon as nothing more is to be decided or learnt: an idle connection holds no more than it must. */
  greeting: Greeting | null = null;

  constructor(id: ConnectionId, listener: string, serverName: string | null, route: string | null, revision: number) {
    this.id = id;
    this.listener = listener;
    this.serverName = serverName;
    this.route = route;
    this.revision = revision;
  }

  /** The server of the last attempt did not answer. */
  triedInVain(server: ServerResourceName): void {
    this.tried = new Set([...this.tried, server]);
  }
}

/** What is needed of a hello until its server has answered; copies. */
export interface Greeting {
  /** The client's address, 4 or 16 bytes; null where nothing of the farm's policy looks at it. */
  readonly sourceBytes: Uint8Array | null;
  /** To connect from; null for the node's own. */
  readonly sourceAddress: IpAddress | null;
  readonly nameBytes: Uint8Array;
  /** PROXY protocol header; empty for none. */
  readonly prefix: Uint8Array;
  readonly offered: OfferedSession | null;
  /** Reads what the server answers; anew for each attempt. */
  flight: ServerFlightReader;
}
