import type { SocketAddress } from "../../model/address.ts";
import { joinSocketAddress } from "../../model/address.ts";
import { farmPolicyDefaults } from "../../model/farm-policy.ts";
import type { Route, Server } from "../../model/resource.ts";
import type { ServerNamePattern } from "../../model/server-name-pattern.ts";
import type { ChoiceRequest } from "../../dataplane/choose/choice-request.ts";
import { chooseServer } from "../../dataplane/choose/choose-server.ts";
import { FarmBalancing } from "../../dataplane/choose/farm-balancing.ts";
import type { FarmRouting } from "../../dataplane/choose/routing.ts";
import type { ServerConditions } from "../../dataplane/choose/server-conditions.ts";
import type {
  Arrival,
  ClosedConnection,
  ConnectionHandler,
  ConnectVerdict,
  Verdict,
} from "../../dataplane/engine/engine.ts";
import { RuleTable } from "../../dataplane/table/rule-table.ts";
import { SessionTable } from "./session-table.ts";
import { holdSeconds } from "./target.ts";

const farm = "farms/bench" as const;
const noPrefix = new Uint8Array(0);
const holdMs = holdSeconds * 1000;
const connectTimeoutMs = 5000;

const anyServer: ChoiceRequest = {
  tried: new Set(),
  preferred: [],
  source: null,
  nameBytes: noPrefix,
  region: "",
  random: Math.random,
};
const allWell: ServerConditions = {
  isHealthy: () => true,
  share: () => 1,
  connections: () => 0,
  isReachable: () => true,
};

/** Enough for a ServerHello, which has the session id. */
const tapBytes = 256;

/**
 * The decisions of the bench's target: name to route by the rule table, session id to server, else round robin. The same
 * parts as a node's, without the control plane.
 */
export class TargetDecisions implements ConnectionHandler {
  readonly #table: RuleTable;
  readonly #farm: FarmRouting;
  readonly #sessions = new SessionTable<Server>();
  readonly #verdicts = new Map<Server, ConnectVerdict>();
  #closed = 0;
  #bytes = 0;
  readonly #onFault: (error: Error) => void;

  constructor(serverPorts: readonly number[], names: readonly string[], onFault: (error: Error) => void) {
    this.#onFault = onFault;
    const routes = names.map((name, index) => routeOf(`name${index}`, name));
    this.#table = RuleTable.build(routes);
    const servers = serverPorts.map((port, index) => serverAt(index, joinSocketAddress("127.0.0.1", port)));
    this.#farm = {
      farm: {
        kind: "farm",
        name: farm,
        balance: "round_robin",
        connectTimeoutMs,
        connectAttemptsMax: 3,
        serverIdleTimeoutMs: holdMs,
        halfCloseTimeoutMs: holdMs,
        ...farmPolicyDefaults,
      },
      servers: new Map(servers.map((server) => [server.name, server])),
      balancing: new FarmBalancing(),
    };
    for (const [index, server] of servers.entries())
      this.#verdicts.set(server, verdictFor(server, joinSocketAddress("127.0.0.1", serverPorts[index] as number)));
  }

  decide(arrival: Arrival): Verdict {
    if (arrival.hello.outcome !== "complete") {
      return { verdict: "reject", alert: "decode_error", reason: "hello_malformed", context: null };
    }
    const { hello } = arrival.hello;
    const narrowing = { alpnIndex: (protocol: string) => hello.alpnIndex(protocol), source: null };
    const route = this.#table.lookup(hello.nameBytes, 0, hello.nameLength, narrowing);
    if (route === undefined)
      return { verdict: "reject", alert: "unrecognized_name", reason: "no_route", context: null };
    const server = this.#sessions.find(hello.sessionId) ?? this.#balanced();
    const verdict = server && this.#verdicts.get(server);
    return verdict ?? { verdict: "reject", alert: "internal_error", reason: "no_server", context: null };
  }

  #balanced(): Server | undefined {
    const choice = chooseServer(this.#farm, anyServer, allWell);
    return "server" in choice ? choice.server : undefined;
  }

  /** The bench's servers all live: a dial that failed is a fault of the run, which the client sees as one. */
  redecide(): Verdict {
    return { verdict: "reject", alert: "internal_error", reason: "connect_failed", context: null };
  }

  serverBytes(_id: number, context: unknown, bytes: Uint8Array): void {
    this.#sessions.learn(bytes, context as Server);
  }

  closed(record: ClosedConnection): void {
    this.#closed += 1;
    this.#bytes += record.bytesFromClient + record.bytesFromServer;
  }

  /** What a node's telemetry would count. */
  get totals(): { readonly closed: number; readonly bytes: number } {
    return { closed: this.#closed, bytes: this.#bytes };
  }

  fault(error: Error): void {
    this.#onFault(error);
  }
}

function routeOf(id: string, name: string): Route {
  return {
    kind: "route",
    name: `listeners/bench/routes/${id}`,
    match: {
      serverNames: [name as ServerNamePattern],
      noServerName: false,
      alpnProtocols: [],
      sourceNetworks: [],
    },
    action: { to: "farm", farm },
  };
}

function serverAt(index: number, address: SocketAddress): Server {
  return {
    kind: "server",
    name: `${farm}/servers/s${index}`,
    address,
    weight: 1,
    region: "",
    backup: false,
    state: "ready",
    connectionsMax: 0,
    checkAddress: null,
  };
}

function verdictFor(server: Server, address: SocketAddress): ConnectVerdict {
  return {
    verdict: "connect",
    address,
    connectTimeoutMs,
    serverIdleTimeoutMs: holdMs,
    halfCloseTimeoutMs: holdMs,
    prefix: noPrefix,
    source: null,
    tapServerBytesMax: tapBytes,
    context: server,
  };
}
