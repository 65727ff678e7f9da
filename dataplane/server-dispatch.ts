import { ipBytes, isIpv4, splitSocketAddress } from "../model/address.ts";
import type { Farm, Server } from "../model/resource.ts";
import type { ServerResourceName } from "../model/resource-name.ts";
import type { OfferedSession } from "./affinity/offered-session.ts";
import { offeredSession } from "./affinity/read-offered-session.ts";
import type { ServerChoice } from "./choose/choice-request.ts";
import { chooseServer } from "./choose/choose-server.ts";
import type { FarmRouting, Routing } from "./choose/routing.ts";
import type { ServerConditions } from "./choose/server-conditions.ts";
import type { Arrival, ConnectVerdict } from "./engine/engine.ts";
import type { ServerHealthBoard } from "./health/server-health.ts";
import type { ClientHello } from "./hello/client-hello.ts";
import { proxyHeaderBytes } from "./hello/proxy-header-bytes.ts";
import { ServerFlightReader } from "./hello/server-flight-reader.ts";
import type { ServerAddresses } from "./resolve/server-addresses.ts";
import type { Greeting, RoutedConnection } from "./routed-connection.ts";
import type { ServerLoads } from "./server-loads.ts";
import type { SessionAffinity } from "./session-affinity.ts";
import { uniqueIdOf } from "./unique-id.ts";

const noBytes = new Uint8Array(0);

/** A server's first flight with a large certificate chain, up to the NewSessionTicket of TLS 1.2. */
const flightBytesMax = 16_384;

/** Enough for a ServerHello with a post-quantum share: what the server answers is counted, and nothing is learnt. */
const answerBytesMax = 2048;

export interface DispatchParts {
  readonly routing: Routing;
  readonly affinity: SessionAffinity;
  readonly health: ServerHealthBoard;
  readonly addresses: ServerAddresses;
  readonly loads: ServerLoads;
  /** The node's own region; empty for none. */
  readonly region: string;
  /** Begins the unique id of each connection: other in each process. */
  readonly instance: string;
  /** Whether the engine can connect from a client's address. */
  readonly sourceTransparent: () => boolean;
  /** Milliseconds of a monotonic clock. */
  readonly nowMs: () => number;
  /** From 0 to below 1, as Math.random. */
  readonly random: () => number;
}

/** Where a connection goes now, or why it goes nowhere: `full` while the servers that may take it have no room. */
export type Dispatch = ConnectVerdict | "full" | "no_server";

/** From a farm to one of its servers: sessions first, then health, balance and room; and what the server is told first. */
export class ServerDispatch {
  readonly #parts: DispatchParts;
  readonly #now: Conditions;

  constructor(parts: DispatchParts) {
    this.#parts = parts;
    this.#now = new Conditions(parts);
  }

  /** Server conditions as they are at the time of the call. */
  conditions(): ServerConditions {
    this.#now.nowMs = this.#parts.nowMs();
    return this.#now;
  }

  /** Keeps what will be needed of the hello; null for a client that does not speak TLS. */
  greet(routed: RoutedConnection, farm: Farm, hello: ClientHello | null, arrival: Arrival): void {
    const follows = hello !== null && this.#parts.affinity.follows(farm.name);
    const host = needsSource(farm) ? splitSocketAddress(arrival.source).host : null;
    const greeting: Greeting = {
      sourceBytes: host === null ? null : (ipBytes(host) ?? null),
      sourceAddress: farm.sourceTransparent ? host : null,
      nameBytes: hello?.nameBytes ?? noBytes,
      prefix: farm.proxyProtocol === null ? noBytes : this.#proxyHeader(farm.proxyProtocol, routed, hello, arrival),
      offered: follows ? offeredSession(hello) : null,
      flight: new ServerFlightReader(),
    };
    routed.greeting = greeting;
    routed.resumption = isOffer(greeting.offered) ? "offered" : null;
  }

  /** Chooses a server for a connection that was greeted, and sends it there. */
  send(routed: RoutedConnection): Dispatch {
    const { destination } = routed;
    const farm = destination === null ? undefined : this.#parts.routing.farm(destination.farm);
    if (destination === null || farm === undefined) return "no_server";
    if (destination.named !== null) return this.#sendToNamed(routed, farm, destination.named);
    const choice = this.#choose(routed, farm);
    if ("none" in choice) return choice.none;
    return this.#connect(routed, farm.farm, choice.server, choice.by);
  }

  #choose({ greeting, tried }: RoutedConnection, farm: FarmRouting): ServerChoice {
    const { affinity, region, random } = this.#parts;
    const request = {
      tried,
      preferred: affinity.servers(farm.farm.name, greeting?.offered ?? null),
      source: greeting?.sourceBytes ?? null,
      nameBytes: greeting?.nameBytes ?? noBytes,
      region,
      random,
    };
    return chooseServer(farm, request, this.conditions());
  }

  /** A route that names a server is never answered by another, and health does not matter: there is no other to go to. */
  #sendToNamed(routed: RoutedConnection, farm: FarmRouting, name: ServerResourceName): Dispatch {
    const server = farm.servers.get(name);
    if (server === undefined || server.state === "maintenance" || routed.tried.has(name)) return "no_server";
    if (server.connectionsMax > 0 && this.#parts.loads.of(name) >= server.connectionsMax) return "full";
    return this.#connect(routed, farm.farm, server, null);
  }

  #connect(routed: RoutedConnection, farm: Farm, server: Server, chosenBy: RoutedConnection["chosenBy"]): Dispatch {
    const { addresses, affinity, health, loads, nowMs } = this.#parts;
    const address = addresses.next(server);
    if (address === undefined) return "no_server";
    const { greeting } = routed;
    if (routed.server !== null && greeting !== null) greeting.flight = new ServerFlightReader();
    routed.farm = farm;
    routed.server = server;
    routed.address = address;
    routed.chosenBy = chosenBy;
    routed.sentAtMs = nowMs();
    health.chosen(server.name, routed.sentAtMs);
    loads.opened(server.name);
    return {
      verdict: "connect",
      address,
      connectTimeoutMs: farm.connectTimeoutMs,
      serverIdleTimeoutMs: farm.serverIdleTimeoutMs,
      halfCloseTimeoutMs: farm.halfCloseTimeoutMs,
      prefix: greeting?.prefix ?? noBytes,
      source: this.#sourceFor(routed),
      tapServerBytesMax: affinity.follows(farm.name) ? flightBytesMax : answerBytesMax,
      context: routed,
    };
  }

  /** A client of the other family than the server is connected from the node's own address: nothing else can be. */
  #sourceFor({ greeting, address }: RoutedConnection): ConnectVerdict["source"] {
    const source = greeting?.sourceAddress ?? null;
    if (source === null || address === null || !this.#parts.sourceTransparent()) return null;
    return isIpv4(source) === isIpv4(splitSocketAddress(address).host) ? source : null;
  }

  #proxyHeader(
    policy: NonNullable<Farm["proxyProtocol"]>,
    routed: RoutedConnection,
    hello: ClientHello | null,
    { source, local }: Arrival,
  ): Uint8Array {
    const alpn = policy.tlvs.includes("alpn") ? (hello?.alpnProtocols()[0] ?? null) : null;
    const uniqueId = policy.tlvs.includes("unique_id")
      ? new TextEncoder().encode(uniqueIdOf(this.#parts.instance, routed.id))
      : noBytes;
    return proxyHeaderBytes(policy, { source, destination: local, serverName: routed.serverName, alpn, uniqueId });
  }
}

/** Clients that offer TLS 1.3 invent a session id beside it (RFC 8446 appendix D.4): an offer only once a server took it. */
function isOffer(offered: OfferedSession | null): boolean {
  return offered !== null && (offered.kind !== "session_id" || offered.certain);
}

function needsSource({ affinity, balance, proxyProtocol, sourceTransparent }: Farm): boolean {
  const looks = affinity.fallback === "source" || balance === "source_hash" || balance === "maglev_source";
  return looks || proxyProtocol !== null || sourceTransparent;
}

/** One object for all decisions, whose time is set anew for each. */
class Conditions implements ServerConditions {
  nowMs = 0;
  readonly #parts: DispatchParts;

  constructor(parts: DispatchParts) {
    this.#parts = parts;
  }

  isHealthy(server: ServerResourceName): boolean {
    return this.#parts.health.isHealthy(server, this.nowMs) && this.isReachable(server);
  }

  share(server: ServerResourceName): number {
    return this.#parts.health.share(server, this.nowMs);
  }

  connections(server: ServerResourceName): number {
    return this.#parts.loads.of(server);
  }

  isReachable(server: ServerResourceName): boolean {
    return this.#parts.addresses.isReachable(server);
  }
}
