import type { SocketAddress } from "../../model/address.ts";
import type { ConfigEvent } from "../../model/event.ts";
import { farmPolicyDefaults } from "../../model/farm-policy.ts";
import type { RouteName } from "../../model/resource-name.ts";
import type { Resource, Route } from "../../model/resource.ts";
import type { ServerNamePattern } from "../../model/server-name-pattern.ts";

const listener = "listeners/bench" as const;
const farm = "farms/bench" as const;

/** So few that ten thousand nodes, each with a configuration of its own, fit in one process. */
const routesMax = 12;

/** The first commit: a listener, a farm and two servers. */
export function firstEvents(): readonly ConfigEvent[] {
  const resources: readonly Resource[] = [
    {
      kind: "farm",
      name: farm,
      balance: "round_robin",
      connectTimeoutMs: 5000,
      connectAttemptsMax: 3,
      serverIdleTimeoutMs: 600_000,
      halfCloseTimeoutMs: 30_000,
      ...farmPolicyDefaults,
    },
    server(0, 1),
    server(1, 1),
    {
      kind: "listener",
      name: listener,
      addresses: ["127.0.0.1:443" as SocketAddress],
      helloBytesMax: 16_384,
      helloDeadlineMs: 5000,
      clientIdleTimeoutMs: 600_000,
      connectionsMax: 1000,
      defaultAction: { to: "reject", alert: "unrecognized_name" },
      nonTlsFarm: null,
      proxyNetworks: [],
    },
  ];
  return resources.map((resource) => ({ type: "created", resource }));
}

/** The next change, as random as the numbers are: a route that comes, goes or leads elsewhere; a server's weight. */
export function randomEvents(random: () => number, routes: Set<RouteName>): readonly ConfigEvent[] {
  const pick = (count: number): number => Math.floor(random() * count);
  const name: RouteName = `${listener}/routes/route${pick(routesMax)}`;
  const kind = random();
  if (kind < 0.2) return [{ type: "updated", resource: server(pick(2), 1 + pick(100)) }];
  if (routes.has(name) && kind < 0.45) {
    routes.delete(name);
    return [{ type: "deleted", name }];
  }
  const type = routes.has(name) ? "updated" : "created";
  routes.add(name);
  return [{ type, resource: route(name, pick(1000)) }];
}

function route(name: RouteName, choice: number): Route {
  const serverNames = [`host${choice}.bench.test` as ServerNamePattern];
  const match = { serverNames, noServerName: false, alpnProtocols: [], sourceNetworks: [] };
  return { kind: "route", name, match, action: { to: "farm", farm } };
}

function server(index: number, weight: number): Resource {
  return {
    kind: "server",
    name: `${farm}/servers/server${index}`,
    address: `127.0.0.1:${8443 + index}`,
    weight,
    region: "",
    backup: false,
    state: "ready",
    connectionsMax: 0,
    checkAddress: null,
  } as Resource;
}
