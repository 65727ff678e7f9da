import type { Configuration } from "../../model/configuration.ts";
import type { ServerResourceName } from "../../model/resource-name.ts";

/** The server of the farm behind every node. What the world does to nodes depends on what they serve of it. */
export const appServer = "farms/app/servers/a" as ServerResourceName;
export const appRoute = "listeners/edge/routes/app";

/** Addresses of {@link appServer}, and what they do. */
export const addresses = {
  good: "10.0.0.1:443",
  better: "10.0.0.2:443",
  best: "10.0.0.3:443",
  /** One connection of twenty can't be made. */
  flaky: "10.0.0.20:443",
  asFlaky: "10.0.0.21:443",
  /** A process that serves it dies. */
  deadly: "10.0.0.66:443",
  /** The same, and nobody starts it again. */
  fatal: "10.0.0.67:443",
} as const;

/** What fails anywhere, any time. */
const failingAnyway = 0.002;
const failingMore = 0.05;

/** The world that the nodes live in: how their connections fare, given what they serve. */
export function shareFailing(served: Configuration): number {
  const address = addressOf(served);
  return address === addresses.flaky || address === addresses.asFlaky ? failingMore : failingAnyway;
}

export function isDeadly(served: Configuration): boolean {
  return addressOf(served) === addresses.deadly || isFatal(served);
}

export function isFatal(served: Configuration): boolean {
  return addressOf(served) === addresses.fatal;
}

function addressOf(served: Configuration): string | undefined {
  return served.servers.get(appServer)?.address;
}

/** The configuration of the fleet, in the API's JSON form, with the server at one of {@link addresses}. */
export function appResources(address: string): readonly object[] {
  return [
    { farm: { name: "farms/app" } },
    { server: { name: appServer, address } },
    { listener: { name: "listeners/edge", addresses: ["127.0.0.1:8443"] } },
    { route: { name: appRoute, match: { serverNames: ["app.test"] }, action: { farm: "farms/app" } } },
  ];
}
