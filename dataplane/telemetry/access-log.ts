import type { Logger } from "pino";
import type { ClosedConnection } from "../engine/engine.ts";
import type { RoutedConnection } from "../routed-connection.ts";
import { uniqueIdOf } from "../unique-id.ts";

/**
 * One JSON line per connection. Names are as normalised, and JSON escapes what is left: no line can be forged by a
 * client.
 *
 * @param instance begins the unique ids of this process's connections
 */
export function logConnection(
  logger: Logger,
  closed: ClosedConnection,
  routed: RoutedConnection | undefined,
  instance: string,
): void {
  logger.info(
    {
      listener: closed.listener,
      source: closed.source,
      serverName: routed?.serverName ?? null,
      route: routed?.route ?? null,
      farm: routed?.farm?.name ?? null,
      server: routed?.server?.name ?? null,
      revision: routed?.revision ?? null,
      bytesFromClient: closed.bytesFromClient,
      bytesFromServer: closed.bytesFromServer,
      acceptedAt: new Date(closed.acceptedAtMs).toISOString(),
      helloMs: closed.helloMs,
      connectMs: closed.connectMs,
      totalMs: closed.totalMs,
      connectAttempts: closed.connectAttempts,
      chosenBy: routed?.chosenBy ?? null,
      resumption: routed?.resumption ?? null,
      uniqueId: uniqueIdOf(instance, closed.id),
      reason: closed.reason,
    },
    "connection",
  );
}
