import { ipBytes } from "../../model/address.ts";
import { specificityOf } from "../../model/match-route.ts";
import { farmOf, type ServerResourceName } from "../../model/resource-name.ts";
import type { Action, Announcement, Farm } from "../../model/resource.ts";
import { chooseServer } from "../choose/choose-server.ts";
import type { Choice, FarmRouting, Routing } from "../choose/routing.ts";
import type { ServerConditions } from "../choose/server-conditions.ts";
import { type FarmStandings, serverStandings } from "../choose/server-standings.ts";
import type { Explanation, ExplainedServer } from "./node-session.ts";

/** Where a connection would go. */
type Destination = Pick<Explanation, "outcome" | "farm" | "servers" | "alert"> & { readonly step: string };

/** What decisions are made with. */
export interface DecisionParts {
  readonly routing: Routing;
  readonly revision: number;
  /** What the node knows of servers at this moment. */
  readonly conditions: ServerConditions;
  /** The node's own; empty for none. */
  readonly region: string;
}

/**
 * What this node would do with a hello: answered by the table that decides, and held against the model's matcher, so that
 * a table which has parted from the configuration shows.
 */
export function explainDecision(
  parts: DecisionParts,
  listener: string,
  announcement: Announcement,
): Explanation | string {
  const { routing, revision } = parts;
  const nameBytes = new TextEncoder().encode(announcement.serverName ?? "");
  const choice = routing.choose(listener, { nameBytes, nameLength: nameBytes.length }, narrowing(announcement));
  if (choice === undefined) return `this node has no ${JSON.stringify(listener.slice(0, 80))}`;
  const { step, ...destination } = follow(choice.action, parts, announcement);
  const steps = [...matchSteps(listener, choice, announcement), step];
  return { revision, listener, route: choice.route?.name ?? null, ...destination, steps };
}

function narrowing({ alpnProtocols, source }: Announcement): Parameters<Routing["choose"]>[2] {
  return {
    alpnIndex: (protocol) => alpnProtocols.indexOf(protocol),
    source: source === null ? null : (ipBytes(source) ?? null),
  };
}

function matchSteps(listener: string, { route }: Choice, announcement: Announcement): readonly string[] {
  const { serverName, alpnProtocols, source } = announcement;
  const name = serverName === null ? "no server name" : `the name ${serverName}`;
  const alpn = alpnProtocols.length === 0 ? "no ALPN" : `ALPN ${alpnProtocols.join(", ")}`;
  const announced = `The hello announces ${name} and ${alpn}, from ${source ?? "an unknown address"}.`;
  if (route === null) return [announced, `No route of ${listener} in this node's table matches: its default is taken.`];
  const found = `This node's table answers ${route.name}.`;
  if (specificityOf(route.match, announcement) !== undefined) return [announced, found];
  return [announced, found, "The route's own match does not hold for this hello: the table is at fault."];
}

function follow(action: Action, parts: DecisionParts, announcement: Announcement): Destination {
  switch (action.to) {
    case "reject": {
      const step = `The connection is refused with the TLS alert ${action.alert}.`;
      return { outcome: "reject", farm: null, servers: [], alert: action.alert, step };
    }
    case "server": {
      const servers = named(action.server, parts);
      const step = namedStep(action.server, servers[0]);
      return { outcome: "server", farm: farmOf(action.server), servers, alert: null, step };
    }
    case "farm": {
      const farm = parts.routing.farm(action.farm);
      const none: FarmStandings = { servers: [], panic: false, full: false };
      const standings = farm === undefined ? none : serverStandings(farm, parts.region, parts.conditions);
      const servers = standings.servers.map(({ server, standing, share }) => {
        return { server: server.name, address: server.address, eligible: share > 0, reason: standing, share };
      });
      const kept = farm === undefined ? "" : keptStep(farm, parts, announcement);
      const step = `${farmStep(action.farm, standings)}${kept}`;
      return { outcome: "farm", farm: action.farm, servers, alert: null, step };
    }
  }
}

/** Health has no say where a route names the server. */
function named(name: ServerResourceName, { routing, conditions }: DecisionParts): readonly ExplainedServer[] {
  const server = routing.server(name);
  if (server === undefined) return [];
  const { address, state, connectionsMax } = server;
  const explained = (eligible: boolean, reason: string): readonly ExplainedServer[] => [
    { server: name, address, eligible, reason, share: eligible ? 1 : 0 },
  ];
  if (state === "maintenance") return explained(false, state);
  if (!conditions.isReachable(name)) return explained(false, "unresolved");
  if (connectionsMax > 0 && conditions.connections(name) >= connectionsMax) return explained(false, "full");
  return explained(true, conditions.isHealthy(name) ? state : "failing");
}

function namedStep(name: ServerResourceName, server: ExplainedServer | undefined): string {
  if (server?.eligible === true) return `It goes to ${name} and no other server.`;
  if (server?.reason === "full") return `It waits for ${name}, which has all the connections that it may have.`;
  return `It would go to ${name} and no other server, which takes no connections: alert internal_error.`;
}

function farmStep(farm: string, { servers, panic, full }: FarmStandings): string {
  if (full) return `It waits for a server of ${farm}: all have the connections that they may have.`;
  const eligible = servers.filter(({ share }) => share > 0).length;
  if (eligible === 0) return `${farm} has no server that may be chosen: alert internal_error.`;
  const health = panic ? ", and does not look at health, as too few are healthy" : "";
  return `${farm} balances over ${eligible} of ${servers.length} servers${health}.`;
}

/** Where a hash decides it is known which server this client or name comes to, unless it resumes a session. */
function keptStep(
  farm: FarmRouting,
  { conditions, region }: DecisionParts,
  { serverName, source }: Announcement,
): string {
  const by = hashedBy(farm.farm, source !== null);
  if (by === undefined || (by === "server name" && serverName === null)) return "";
  const request = {
    tried: new Set<never>(),
    preferred: [],
    source: source === null ? null : (ipBytes(source) ?? null),
    nameBytes: new TextEncoder().encode(serverName ?? ""),
    region,
    random: () => 0,
  };
  const choice = chooseServer(farm, request, conditions);
  return "none" in choice ? "" : ` By its ${by} it goes to ${choice.server.name}.`;
}

function hashedBy({ affinity, balance }: Farm, addressKnown: boolean): "address" | "server name" | undefined {
  if (addressKnown && affinity.fallback === "source") return "address";
  if (balance === "maglev_server_name") return "server name";
  return addressKnown && (balance === "source_hash" || balance === "maglev_source") ? "address" : undefined;
}
