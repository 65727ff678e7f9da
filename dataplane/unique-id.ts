import type { ConnectionId } from "./engine/engine.ts";

/**
 * Tells a connection from all others of the fleet: servers hear it in PROXY headers, and the access log has it.
 *
 * @param instance other in each process, at most 64 printable characters
 */
export function uniqueIdOf(instance: string, id: ConnectionId): string {
  return `${instance}-${id.toString(36)}`;
}
