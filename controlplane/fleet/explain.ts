import type { Configuration } from "../../model/configuration.ts";
import { chooseRoute } from "../../model/match-route.ts";
import type { Releases } from "../../model/releases.ts";
import type { ServerResourceName } from "../../model/resource-name.ts";
import { farmOf, listenerOf } from "../../model/resource-name.ts";
import type { Action, Announcement, Listener, Route } from "../../model/resource.ts";
import type { ExplainResponse, ExplainServer } from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { explainFarm } from "./explain-farm.ts";

/** What the configuration does with a hello, step by step. Pure; `failing` holds servers that no node can reach. */
export function explain(
  configuration: Configuration,
  listener: Listener,
  announcement: Announcement,
  failing: ReadonlySet<string>,
): ExplainResponse {
  const steps: string[] = [];
  const routes = [...configuration.routes.values()].filter((route) => listenerOf(route.name) === listener.name);
  const chosen = chooseRoute(routes, announcement);
  steps.push(announcedText(announcement), choiceText(listener, routes.length, chosen?.route));
  const answer: ExplainResponse = {
    revision: BigInt(configuration.position.revision),
    listener: listener.name,
    route: chosen?.route.name ?? "",
    outcome: "",
    farm: "",
    servers: [],
    alert: "",
    steps,
  };
  follow(chosen?.route.action ?? listener.defaultAction, configuration, failing, answer);
  const waits = waitText(configuration.releases);
  if (waits !== undefined) answer.steps.push(waits);
  return answer;
}

/** What is explained is the newest configuration; not every node may have it yet. */
function waitText({ base, layers, latest }: Releases): string | undefined {
  const others = new Set([base, ...layers.map(({ revision }) => revision)]);
  others.delete(latest);
  if (others.size === 0) return undefined;
  return `This is revision ${latest}, which is not released to all nodes: some run ${[...others].join(", ")}.`;
}

function announcedText({ serverName, alpnProtocols, source }: Announcement): string {
  const name = serverName === null ? "no server name" : `the name ${serverName}`;
  const alpn = alpnProtocols.length === 0 ? "no ALPN" : `ALPN ${alpnProtocols.join(", ")}`;
  return `The hello announces ${name} and ${alpn}, from ${source ?? "an unknown address"}.`;
}

function choiceText(listener: Listener, routeCount: number, route: Route | undefined): string {
  if (route === undefined)
    return `None of the ${routeCount} routes of ${listener.name} match: its default action is taken.`;
  const { serverNames, noServerName, alpnProtocols, sourceNetworks } = route.match;
  const names = noServerName ? [...serverNames, "no name"] : serverNames;
  const narrowed = [
    alpnProtocols.length === 0 ? "" : ` with ALPN ${alpnProtocols.join(", ")}`,
    sourceNetworks.length === 0 ? "" : ` from ${sourceNetworks.join(", ")}`,
  ].join("");
  return `${route.name} (${names.join(", ")}${narrowed}) is the most specific of the routes that match.`;
}

function follow(
  action: Action,
  configuration: Configuration,
  failing: ReadonlySet<string>,
  answer: ExplainResponse,
): void {
  answer.outcome = action.to;
  switch (action.to) {
    case "reject":
      answer.alert = action.alert;
      answer.steps.push(`The connection is refused with the TLS alert ${action.alert}.`);
      return;
    case "server":
      answer.farm = farmOf(action.server);
      answer.servers = named(action.server, configuration, failing);
      answer.steps.push(namedText(action.server, answer.servers));
      return;
    case "farm": {
      const { servers, steps } = explainFarm(action.farm, configuration, failing);
      answer.farm = action.farm;
      answer.servers = servers;
      answer.steps.push(...steps);
    }
  }
}

function namedText(name: ServerResourceName, servers: readonly ExplainServer[]): string {
  if (servers.some((server) => server.eligible)) return `It goes to ${name} and no other server.`;
  return `It would go to ${name} and no other server, which takes no connections: alert internal_error.`;
}

function named(name: ServerResourceName, configuration: Configuration, failing: ReadonlySet<string>): ExplainServer[] {
  const server = configuration.servers.get(name);
  if (server === undefined) return [];
  const usable = server.state !== "maintenance";
  const reason = usable && failing.has(name) ? "failing" : server.state;
  return [{ server: name, address: server.address, eligible: usable, reason, share: usable ? 1 : 0 }];
}
