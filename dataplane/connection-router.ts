import { ipBytes, type SocketAddress, splitSocketAddress } from "../model/address.ts";
import type { ConnectFailure } from "../model/reason.ts";
import { farmOf, type ServerResourceName } from "../model/resource-name.ts";
import type { Action, Server } from "../model/resource.ts";
import { chooseServer } from "./choose/choose-server.ts";
import type { FarmRouting, Routing } from "./choose/routing.ts";
import type {
  Arrival,
  ClosedConnection,
  ConnectionHandler,
  ConnectionId,
  ConnectVerdict,
  RejectVerdict,
  Verdict,
} from "./engine/engine.ts";
import type { PassiveHealth } from "./health/passive-health.ts";
import type { ClientHello } from "./hello/client-hello.ts";
import type { RoutedConnection } from "./routed-connection.ts";
import type { Narrowing } from "./table/rivals.ts";
import { FirstFlight, firstFlightBytes } from "./telemetry/first-flight.ts";
import type { Traffic } from "./telemetry/traffic.ts";

const noPrefix = new Uint8Array(0);
const noneTried: ReadonlySet<ServerResourceName> = new Set();

export interface RouterParts {
  readonly routing: Routing;
  readonly health: PassiveHealth;
  readonly traffic: Traffic;
  /** The revision that `routing` stands at. */
  readonly revision: () => number;
  /** Milliseconds of a monotonic clock. */
  readonly nowMs: () => number;
  /** Hears of each connection's end; for the access log. */
  readonly onClosed: (closed: ClosedConnection, routed: RoutedConnection | undefined) => void;
  readonly onFault: (error: Error) => void;
}

/** What the engine asks: hello in, verdict out, by the routing as it is at that moment. */
export class ConnectionRouter implements ConnectionHandler {
  readonly #parts: RouterParts;

  constructor(parts: RouterParts) {
    this.#parts = parts;
  }

  decide(arrival: Arrival): Verdict {
    const { hello, listener } = arrival;
    switch (hello.outcome) {
      case "complete":
        return this.#route(listener, hello.hello, arrival);
      case "rejected": {
        const routed = this.#routed(listener, null, null);
        const farmName = this.#parts.routing.listener(listener)?.nonTlsFarm ?? null;
        if (farmName !== null && (hello.reason === "not_tls" || hello.reason === "sslv2_hello"))
          return this.#follow({ to: "farm", farm: farmName }, routed);
        return { verdict: "reject", alert: "decode_error", reason: hello.reason, context: routed };
      }
      case "incomplete":
        throw new Error("an engine asks only about hellos that are complete or rejected");
    }
  }

  redecide(_id: ConnectionId, context: unknown, failure: ConnectFailure, attempt: number): Verdict {
    const routed = context as RoutedConnection;
    const { farm, server } = routed;
    if (farm === null || server === null) throw new Error("only a connection with a server is decided again");
    const { health, traffic, nowMs, routing } = this.#parts;
    // Nothing is kept of a server that has gone meanwhile, nor held against one that is elsewhere now.
    const known = routing.server(server.name);
    if (known !== undefined) traffic.connectFailed(server.name, failure);
    if (known?.address === server.address) health.failed(server.name, failure, routed.sentAtMs, nowMs());
    const lost: RejectVerdict = {
      verdict: "reject",
      alert: "internal_error",
      reason: failure === "timeout" ? "connect_timeout" : "connect_failed",
      context: routed,
    };
    // A route that names a server is never answered by another; neither is a farm that went away meanwhile.
    const current = routing.farm(farm.name);
    if (routed.namesServer || current === undefined || attempt >= current.farm.connectAttemptsMax) return lost;
    return this.#balance(current, { ...routed, tried: new Set([...routed.tried, server.name]) }) ?? lost;
  }

  serverBytes(_id: ConnectionId, context: unknown, bytes: Uint8Array): void {
    (context as RoutedConnection).firstFlight?.add(bytes);
  }

  closed(record: ClosedConnection): void {
    const routed = record.context as RoutedConnection | undefined;
    const { traffic, onClosed, routing } = this.#parts;
    const server = record.connectMs >= 0 ? (routed?.server ?? null) : null;
    if (routing.listener(record.listener) !== undefined) {
      const { reason, bytesFromClient, bytesFromServer } = record;
      const answer = server === null ? undefined : routed?.firstFlight?.answer;
      // Nothing is kept of a server that has gone meanwhile.
      const known = server !== null && routing.server(server.name) !== undefined ? server.name : null;
      const counted = { reason, bytesFromClient, bytesFromServer, answer };
      traffic.closed(record.listener, routed?.route ?? null, known, counted);
    }
    if (server !== null) this.#reached(server, record);
    onClosed(record, routed);
  }

  fault(error: Error): void {
    this.#parts.onFault(error);
  }

  /** A connection that has ended had reached its server, who may be another since then. */
  #reached(server: Server, { totalMs, helloMs, connectMs }: ClosedConnection): void {
    const { health, nowMs, routing } = this.#parts;
    const known = routing.server(server.name);
    if (known?.address === server.address) health.succeeded(server.name, nowMs() - (totalMs - helloMs - connectMs));
  }

  #route(listener: string, hello: ClientHello, arrival: Arrival): Verdict {
    const choice = this.#parts.routing.choose(listener, hello, new HelloNarrowing(hello, arrival));
    const routed = this.#routed(listener, hello.serverName(), choice?.route?.name ?? null);
    // The listener was deleted while this hello was on its way: the client was accepted, and is told.
    if (choice === undefined)
      return { verdict: "reject", alert: "unrecognized_name", reason: "no_route", context: routed };
    // A default that says what is said where there is none, is none.
    if (choice.route === null && choice.action.to === "reject" && choice.action.alert === "unrecognized_name")
      return { verdict: "reject", alert: choice.action.alert, reason: "no_route", context: routed };
    return this.#follow(choice.action, routed);
  }

  #follow(action: Action, routed: RoutedConnection): Verdict {
    const { routing } = this.#parts;
    switch (action.to) {
      case "reject":
        return { verdict: "reject", alert: action.alert, reason: "route_reject", context: routed };
      case "server": {
        const farm = routing.farm(farmOf(action.server));
        const server = farm?.servers.get(action.server);
        if (farm === undefined || server === undefined || server.state === "maintenance") return noServer(routed);
        return this.#connect(farm, server, { ...routed, namesServer: true });
      }
      case "farm": {
        const farm = routing.farm(action.farm);
        return (farm && this.#balance(farm, routed)) ?? noServer(routed);
      }
    }
  }

  #balance(farm: FarmRouting, routed: RoutedConnection): ConnectVerdict | undefined {
    const nowMs = this.#parts.nowMs();
    const { health } = this.#parts;
    const server = chooseServer(farm, routed.tried, (each) => health.isFailing(each.name, nowMs));
    return server && this.#connect(farm, server, routed);
  }

  #connect({ farm }: FarmRouting, server: Server, routed: RoutedConnection): ConnectVerdict {
    const sentAtMs = this.#parts.nowMs();
    this.#parts.health.chosen(server.name, sentAtMs, farm.connectTimeoutMs);
    return {
      verdict: "connect",
      address: server.address,
      connectTimeoutMs: farm.connectTimeoutMs,
      serverIdleTimeoutMs: farm.serverIdleTimeoutMs,
      halfCloseTimeoutMs: farm.halfCloseTimeoutMs,
      prefix: noPrefix,
      tapServerBytesMax: firstFlightBytes,
      context: { ...routed, farm, server, sentAtMs, firstFlight: new FirstFlight() },
    };
  }

  #routed(listener: string, serverName: string | null, route: string | null): RoutedConnection {
    const revision = this.#parts.revision();
    const start = { farm: null, server: null, sentAtMs: 0, namesServer: false, tried: noneTried, firstFlight: null };
    return { listener, serverName, route, revision, ...start };
  }
}

function noServer(context: RoutedConnection): RejectVerdict {
  return { verdict: "reject", alert: "internal_error", reason: "no_server", context };
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
