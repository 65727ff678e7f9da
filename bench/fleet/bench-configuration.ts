import type { WireResource } from "./admin-api.ts";

const listener = "listeners/bench";
const farm = "farms/bench";

/** A farm of two servers, a listener on a port of loopback, and a route. */
export function baseResources(port: number): readonly WireResource[] {
  return [
    { farm: { name: farm } },
    benchServer(0, 1),
    benchServer(1, 1),
    { listener: { name: listener, addresses: [`127.0.0.1:${port}`] } },
    benchRoute(0, 0),
  ];
}

export function benchServer(index: number, weight: number): WireResource {
  return { server: { name: `${farm}/servers/server${index}`, address: `127.0.0.1:${20_000 + index}`, weight } };
}

/** A route of its own name; `choice` decides which server name it takes, and so makes another one of it. */
export function benchRoute(index: number, choice: number): WireResource {
  return {
    route: {
      name: `${listener}/routes/route${index}`,
      match: { server_names: [`host${index}-${choice}.bench.test`] },
      action: { farm },
    },
  };
}
