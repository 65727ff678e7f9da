import type { Server } from "../../model/resource.ts";
import type { ServerResourceName } from "../../model/resource-name.ts";
import { serverAvailability } from "../../model/server-availability.ts";
import type { FarmRouting } from "./routing.ts";

/** What balancing asks of health: whether a server is failing now. */
export type IsFailing = (server: Server) => boolean;

/**
 * The next server of a farm for one connection, or undefined where none is left. `tried` are those that did not answer
 * this connection.
 *
 * Servers that answer come first, and backups only when no other server is left. When every server is failing they are
 * tried all the same: what a node believes of them may be out of date, and there is nothing to lose.
 */
export function chooseServer(
  { servers, roundRobin }: FarmRouting,
  tried: ReadonlySet<ServerResourceName>,
  isFailing: IsFailing,
): Server | undefined {
  const usable: Server[] = [];
  for (const server of servers.values())
    if (serverAvailability(server, false) === "ready" && !tried.has(server.name)) usable.push(server);
  const answering = usable.filter((server) => !isFailing(server));
  return roundRobin.choose(preferPrimaries(answering)) ?? roundRobin.choose(preferPrimaries(usable));
}

function preferPrimaries(servers: readonly Server[]): readonly Server[] {
  const primaries = servers.filter((server) => !server.backup);
  return primaries.length > 0 ? primaries : servers;
}
