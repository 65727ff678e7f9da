import type { Change } from "../model/configuration.ts";
import type { CloseReason } from "../model/reason.ts";
import { farmOf, type FarmName, type ServerResourceName } from "../model/resource-name.ts";
import type { Farm } from "../model/resource.ts";
import type { Engine } from "./engine/engine.ts";
import type { RoutedConnection } from "./routed-connection.ts";

/**
 * Servers that the changes delete, and whose farm then closes their connections. The farm's word counts as it stood before
 * the changes: what a connection was promised when it was made is not taken back along with its server.
 *
 * @param farmBefore the farm as the tables have it before the changes
 */
export function serversToClose(
  changes: readonly Change[],
  farmBefore: (name: FarmName) => Farm | undefined,
): ReadonlySet<ServerResourceName> {
  const servers = new Set<ServerResourceName>();
  for (const { before, after } of changes)
    if (before?.kind === "server" && after === null && farmBefore(farmOf(before.name))?.onServerRemoved === "close")
      servers.add(before.name);
  return servers;
}

/** Ends the connections to these servers, those that are being made among them. */
export function closeConnections(
  engine: Pick<Engine, "visit" | "abort">,
  servers: ReadonlySet<ServerResourceName>,
  reason: CloseReason,
): void {
  if (servers.size === 0) return;
  engine.visit((id, context) => {
    const server = (context as RoutedConnection).server?.name;
    if (server !== undefined && servers.has(server)) engine.abort(id, reason);
  });
}
