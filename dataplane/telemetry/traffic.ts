import type { CloseReason, ConnectFailure } from "../../model/reason.ts";
import type { Resumption } from "../routed-connection.ts";
import { type CountedConnection, PendingTraffic } from "./pending-traffic.ts";

/** Numbers of one listener, since the node started. */
export interface ListenerTraffic {
  readonly closed: Map<CloseReason, number>;
  bytesFromClients: number;
  bytesFromServers: number;
}

/** Numbers of one server, since the node started or the server appeared. */
export interface ServerTraffic {
  connections: number;
  readonly connectFailures: Map<ConnectFailure, number>;
  /** As in `Counts`. */
  readonly resumptions: Map<Resumption, number>;
}

/** What connections did, counted by plain additions: this is on the path of every connection. */
export class Traffic {
  readonly listeners = new Map<string, ListenerTraffic>();
  readonly servers = new Map<string, ServerTraffic>();
  /** The same by route and server, as the control plane is told of it. */
  readonly pending = new PendingTraffic();

  /** `route` and `server` are null where none was taken, or reached. */
  closed(listener: string, route: string | null, server: string | null, connection: CountedConnection): void {
    const { reason, bytesFromClient, bytesFromServer } = connection;
    this.pending.closed(route, server, connection);
    let traffic = this.listeners.get(listener);
    if (traffic === undefined) {
      traffic = { closed: new Map(), bytesFromClients: 0, bytesFromServers: 0 };
      this.listeners.set(listener, traffic);
    }
    add(traffic.closed, reason);
    traffic.bytesFromClients += bytesFromClient;
    traffic.bytesFromServers += bytesFromServer;
    if (server === null) return;
    const of = this.#server(server);
    of.connections += 1;
    if (connection.resumption === null) return;
    add(of.resumptions, "offered");
    if (connection.resumption !== "offered") add(of.resumptions, connection.resumption);
  }

  connectFailed(server: string, failure: ConnectFailure): void {
    add(this.#server(server).connectFailures, failure);
    this.pending.connectFailed(server, failure === "timeout" ? "connect_timeout" : "connect_failed");
  }

  /** Gives back what is kept for a listener or a server that has gone. */
  forget(name: string): void {
    this.listeners.delete(name);
    this.servers.delete(name);
    this.pending.forget(name);
  }

  #server(name: string): ServerTraffic {
    let traffic = this.servers.get(name);
    if (traffic === undefined) {
      traffic = { connections: 0, connectFailures: new Map(), resumptions: new Map() };
      this.servers.set(name, traffic);
    }
    return traffic;
  }
}

function add<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
