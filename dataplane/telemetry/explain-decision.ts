import { ipBytes } from "../../model/address.ts";
import { specificityOf } from "../../model/match-route.ts";
import { farmOf, type ServerResourceName } from "../../model/resource-name.ts";
import type { Action, Announcement, Server } from "../../model/resource.ts";
import { serverAvailability } from "../../model/server-availability.ts";
import type { Choice, FarmRouting, Routing } from "../choose/routing.ts";
import type { Explanation, ExplainedServer } from "./node-session.ts";

/** Where a connection would go. */
type Destination = Pick<Explanation, "outcome" | "farm" | "servers" | "alert"> & { readonly step: string };

/** What decisions are made with. */
export interface DecisionParts {
  readonly routing: Routing;
  readonly revision: number;
  readonly isFailing: (server: ServerResourceName) => boolean;
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
  const { step, ...destination } = follow(choice.action, parts);
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

function follow(action: Action, parts: DecisionParts): Destination {
  switch (action.to) {
    case "reject": {
      const step = `The connection is refused with the TLS alert ${action.alert}.`;
      return { outcome: "reject", farm: null, servers: [], alert: action.alert, step };
    }
    case "server": {
      const servers = named(action.server, parts);
      const step = servers.some(({ eligible }) => eligible)
        ? `It goes to ${action.server} and no other server.`
        : `It would go to ${action.server} and no other server, which takes no connections: alert internal_error.`;
      return { outcome: "server", farm: farmOf(action.server), servers, alert: null, step };
    }
    case "farm": {
      const farm = parts.routing.farm(action.farm);
      const servers = farm === undefined ? [] : balanced(farm, parts);
      const eligible = servers.filter((each) => each.eligible).length;
      const step =
        eligible === 0
          ? `${action.farm} has no server that may be chosen: alert internal_error.`
          : `${action.farm} balances over ${eligible} of ${servers.length} servers.`;
      return { outcome: "farm", farm: action.farm, servers, alert: null, step };
    }
  }
}

function named(name: ServerResourceName, { routing, isFailing }: DecisionParts): readonly ExplainedServer[] {
  const server = routing.server(name);
  if (server === undefined) return [];
  const eligible = server.state !== "maintenance";
  const reason = eligible && isFailing(name) ? "failing" : server.state;
  return [{ server: name, address: server.address, eligible, reason, share: eligible ? 1 : 0 }];
}

/** As `chooseServer` chooses: backups only where no other server can be, and failing ones where all are. */
function balanced(farm: FarmRouting, { isFailing }: DecisionParts): readonly ExplainedServer[] {
  const servers = [...farm.servers.values()];
  const usable = servers.filter((server) => serverAvailability(server, false) === "ready");
  const answering = usable.filter((server) => !isFailing(server.name));
  const eligible = new Set(preferPrimaries(answering.length > 0 ? answering : usable));
  const total = [...eligible].reduce((sum, { weight }) => sum + weight, 0);
  return servers.map((server) => {
    const chosen = eligible.has(server);
    const availability = serverAvailability(server, isFailing(server.name));
    const reason = !chosen && server.backup && availability === "ready" ? "backup" : availability;
    const share = chosen ? server.weight / total : 0;
    return { server: server.name, address: server.address, eligible: chosen, reason, share };
  });
}

function preferPrimaries(servers: readonly Server[]): readonly Server[] {
  const primaries = servers.filter((server) => !server.backup);
  return primaries.length > 0 ? primaries : servers;
}
