import { ipBytes, type SocketAddress, splitSocketAddress } from "../model/address.ts";
import type { ConnectFailure } from "../model/reason.ts";
import { farmOf } from "../model/resource-name.ts";
import type { Action } from "../model/resource.ts";
import type { Routing } from "./choose/routing.ts";
import type {
  Arrival,
  ClosedConnection,
  ConnectionHandler,
  ConnectionId,
  ConnectVerdict,
  RejectVerdict,
  Verdict,
} from "./engine/engine.ts";
import type { ServerHealthBoard } from "./health/server-health.ts";
import type { ClientHello } from "./hello/client-hello.ts";
import type { ServerAddresses } from "./resolve/server-addresses.ts";
import { type Destination, RoutedConnection } from "./routed-connection.ts";
import type { ServerDispatch } from "./server-dispatch.ts";
import type { ServerLoads } from "./server-loads.ts";
import type { SessionAffinity } from "./session-affinity.ts";
import type { Narrowing } from "./table/rivals.ts";
import type { Traffic } from "./telemetry/traffic.ts";
import { WaitingConnections, type WaitedFor } from "./waiting-connections.ts";

/** What is known of servers, and the way to one. */
export interface KnownServers {
  readonly dispatch: ServerDispatch;
  readonly affinity: SessionAffinity;
  readonly health: ServerHealthBoard;
  readonly addresses: ServerAddresses;
  readonly loads: ServerLoads;
}

export interface RouterParts {
  readonly routing: Routing;
  readonly servers: KnownServers;
  readonly traffic: Traffic;
  /** The revision that `routing` stands at. */
  readonly revision: () => number;
  /** Milliseconds of a monotonic clock. */
  readonly nowMs: () => number;
  /** The engine's: for connections that were told to wait. */
  readonly answer: (id: ConnectionId, verdict: ConnectVerdict | RejectVerdict) => void;
  /** Hears of each connection's end; for the access log. */
  readonly onClosed: (closed: ClosedConnection, routed: RoutedConnection | undefined) => void;
  readonly onFault: (error: Error) => void;
}

/** What the engine asks: hello in, verdict out, by the routing as it is at that moment. */
export class ConnectionRouter implements ConnectionHandler {
  /** Connections that wait for a server with room. */
  readonly waiting: WaitingConnections;
  readonly #parts: RouterParts;

  constructor(parts: RouterParts) {
    this.#parts = parts;
    this.waiting = new WaitingConnections({
      nowMs: parts.nowMs,
      answer: parts.answer,
      place: (routed) => this.#placed(routed),
      timedOut: (routed) => internalError("queue_timeout", routed),
    });
  }

  decide(arrival: Arrival): Verdict {
    const { hello, listener, id } = arrival;
    switch (hello.outcome) {
      case "complete":
        return this.#route(listener, hello.hello, arrival);
      case "rejected": {
        const routed = new RoutedConnection(id, listener, null, null, this.#parts.revision());
        const farm = this.#parts.routing.listener(listener)?.nonTlsFarm ?? null;
        if (farm !== null && (hello.reason === "not_tls" || hello.reason === "sslv2_hello"))
          return this.#begin({ farm, named: null }, routed, null, arrival);
        return { verdict: "reject", alert: "decode_error", reason: hello.reason, context: routed };
      }
      case "incomplete":
        throw new Error("an engine asks only about hellos that are complete or rejected");
    }
  }

  redecide(_id: ConnectionId, context: unknown, failure: ConnectFailure, attempt: number): Verdict {
    const routed = context as RoutedConnection;
    const { destination, server, address } = routed;
    if (destination === null || server === null || address === null)
      throw new Error("only a connection with a server is decided again");
    const { traffic, nowMs, routing } = this.#parts;
    const { addresses, health, loads } = this.#parts.servers;
    loads.closed(server.name);
    routed.holdsPlace = false;
    // Nothing is kept of a server that has gone meanwhile, nor held against one that is elsewhere now.
    const known = routing.server(server.name);
    if (known !== undefined) traffic.connectFailed(server.name, failure);
    if (known?.address === server.address) {
      health.failed(server.name, failure, routed.sentAtMs, nowMs());
      addresses.failed(server, address);
    }
    this.#madeRoom(routed);
    const lost = internalError(failure === "timeout" ? "connect_timeout" : "connect_failed", routed);
    // A route that names a server is never answered by another; neither is a farm that went away meanwhile.
    const farm = routing.farm(destination.farm);
    if (destination.named !== null || farm === undefined || attempt >= farm.farm.connectAttemptsMax) return lost;
    routed.triedInVain(server.name);
    const verdict = this.#send(routed);
    return verdict.verdict === "reject" ? lost : verdict;
  }

  serverBytes(_id: ConnectionId, context: unknown, bytes: Uint8Array): void {
    const routed = context as RoutedConnection;
    const { greeting, server } = routed;
    if (greeting === null || server === null) return;
    // It answers: a probe need not end before others follow it.
    if (routed.answer === "nothing" && this.#parts.routing.server(server.name)?.address === server.address)
      this.#parts.servers.health.succeeded(server.name, this.#parts.nowMs());
    const settled = greeting.flight.add(bytes);
    routed.answer = greeting.flight.facts.answer;
    if (settled) this.#observe(routed);
  }

  closed(record: ClosedConnection): void {
    const routed = record.context as RoutedConnection | undefined;
    const { traffic, onClosed, routing } = this.#parts;
    const server = record.connectMs >= 0 ? (routed?.server ?? null) : null;
    if (routed !== undefined && server !== null) this.#observe(routed);
    if (routing.listener(record.listener) !== undefined) {
      const { reason, bytesFromClient, bytesFromServer } = record;
      const answer = server === null ? undefined : routed?.answer;
      const resumption = server === null ? null : (routed?.resumption ?? null);
      // Nothing is kept of a server that has gone meanwhile.
      const known = server !== null && routing.server(server.name) !== undefined ? server.name : null;
      const counted = { reason, bytesFromClient, bytesFromServer, answer, resumption };
      traffic.closed(record.listener, routed?.route ?? null, known, counted);
    }
    if (routed !== undefined) {
      this.waiting.gone(routed.id);
      if (server !== null) this.#reached(routed, record);
      if (routed.holdsPlace && routed.server !== null) {
        this.#parts.servers.loads.closed(routed.server.name);
        this.#madeRoom(routed);
      }
    }
    onClosed(record, routed);
  }

  fault(error: Error): void {
    this.#parts.onFault(error);
  }

  /** Learns what the server's first flight said, as far as it was read; once for a connection. */
  #observe(routed: RoutedConnection): void {
    const { greeting, server } = routed;
    if (greeting === null || server === null) return;
    routed.greeting = null;
    // Another machine may have its name since then: with keys of its own, which this one does not show.
    if (this.#parts.routing.server(server.name)?.address !== server.address) return;
    const resumed = this.#parts.servers.affinity.observed(server.name, greeting.offered, greeting.flight.facts);
    routed.resumption = resumed ?? routed.resumption;
  }

  /** A connection that has ended had reached its server, who may be another since then. */
  #reached(routed: RoutedConnection, { totalMs, helloMs, connectMs, reason, bytesFromServer }: ClosedConnection): void {
    const { nowMs, routing } = this.#parts;
    const { addresses, health } = this.#parts.servers;
    const { server, address, sentAtMs } = routed;
    if (server === null || address === null || routing.server(server.name)?.address !== server.address) return;
    if (reason === "server_reset" && bytesFromServer === 0) {
      health.failed(server.name, "reset_before_reply", sentAtMs, nowMs());
      addresses.failed(server, address);
    } else {
      health.succeeded(server.name, nowMs() - (totalMs - helloMs - connectMs));
      addresses.succeeded(server, address);
    }
  }

  #route(listener: string, hello: ClientHello, arrival: Arrival): Verdict {
    const { routing, revision, traffic } = this.#parts;
    const choice = routing.choose(listener, hello, new HelloNarrowing(hello, arrival));
    const name = hello.serverName();
    traffic.pending.hellos.saw(listener, name, hello);
    const routed = new RoutedConnection(arrival.id, listener, name, choice?.route?.name ?? null, revision());
    // The listener was deleted while this hello was on its way: the client was accepted, and is told.
    if (choice === undefined)
      return { verdict: "reject", alert: "unrecognized_name", reason: "no_route", context: routed };
    // A default that says what is said where there is none, is none.
    if (choice.route === null && choice.action.to === "reject" && choice.action.alert === "unrecognized_name")
      return { verdict: "reject", alert: choice.action.alert, reason: "no_route", context: routed };
    return this.#follow(choice.action, routed, hello, arrival);
  }

  #follow(action: Action, routed: RoutedConnection, hello: ClientHello, arrival: Arrival): Verdict {
    switch (action.to) {
      case "reject":
        return { verdict: "reject", alert: action.alert, reason: "route_reject", context: routed };
      case "server":
        return this.#begin({ farm: farmOf(action.server), named: action.server }, routed, hello, arrival);
      case "farm":
        return this.#begin({ farm: action.farm, named: null }, routed, hello, arrival);
    }
  }

  #begin(destination: Destination, routed: RoutedConnection, hello: ClientHello | null, arrival: Arrival): Verdict {
    const farm = this.#parts.routing.farm(destination.farm)?.farm;
    if (farm === undefined) return internalError("no_server", routed);
    routed.destination = destination;
    this.#parts.servers.dispatch.greet(routed, farm, hello, arrival);
    return this.#send(routed);
  }

  /** Sends the connection to a server, or lets it wait for one. */
  #send(routed: RoutedConnection): Verdict {
    const sent = this.#dispatched(routed);
    if (sent === "no_server") return internalError("no_server", routed);
    if (sent !== "full") return sent;
    const queue = this.#parts.routing.farm(waitedFarm(routed))?.farm.queue;
    if (queue === undefined || !this.waiting.push(waitedFor(routed), routed, queue.lengthMax, queue.timeoutMs))
      return internalError("queue_full", routed);
    return { verdict: "wait", context: routed };
  }

  /** The same for one that waits already; undefined: let it wait on. */
  #placed(routed: RoutedConnection): ConnectVerdict | RejectVerdict | undefined {
    const sent = this.#dispatched(routed);
    if (sent === "no_server") return internalError("no_server", routed);
    return sent === "full" ? undefined : sent;
  }

  #dispatched(routed: RoutedConnection): ReturnType<ServerDispatch["send"]> {
    const sent = this.#parts.servers.dispatch.send(routed);
    routed.holdsPlace = typeof sent === "object";
    return sent;
  }

  #madeRoom({ destination, server }: RoutedConnection): void {
    if (this.waiting.count === 0 || destination === null || server === null) return;
    this.waiting.roomAt(server.name);
    this.waiting.roomAt(destination.farm);
  }
}

function waitedFarm({ destination }: RoutedConnection): Destination["farm"] {
  if (destination === null) throw new Error("only a connection with a destination waits");
  return destination.farm;
}

function waitedFor(routed: RoutedConnection): WaitedFor {
  return routed.destination?.named ?? waitedFarm(routed);
}

function internalError(
  reason: "no_server" | "queue_full" | "queue_timeout" | "connect_failed" | "connect_timeout",
  context: RoutedConnection,
): RejectVerdict {
  return { verdict: "reject", alert: "internal_error", reason, context };
}

/** What narrows a route's match, read from the hello and the connection only when a route asks for it. */
class HelloNarrowing implements Narrowing {
  readonly #hello: ClientHello;
  readonly #arrival: { readonly source: SocketAddress };
  #source: Uint8Array | null | undefined;

  constructor(hello: ClientHello, arrival: { readonly source: SocketAddress }) {
    this.#hello = hello;
    this.#arrival = arrival;
  }

  alpnIndex(protocol: string): number {
    return this.#hello.alpnIndex(protocol);
  }

  get source(): Uint8Array | null {
    this.#source ??= ipBytes(splitSocketAddress(this.#arrival.source).host) ?? null;
    return this.#source;
  }
}
