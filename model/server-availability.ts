import type { Server } from "./resource.ts";

/** Why a farm's balancing passes a server over, as it is configured and as its health is. */
export type ServerUnavailable = "drain" | "maintenance" | "weight_zero" | "failing";

/** What a server is among the others of its farm, for one node. */
export type ServerStanding =
  | "ready"
  | ServerUnavailable
  /** Its name has no address. */
  | "unresolved"
  /** There is a primary that can be chosen. */
  | "backup"
  /** It has all the connections that it may have. */
  | "full"
  /** Enough servers are healthy in regions that come before its own. */
  | "other_region";

/** Whether balancing may choose a server, backups aside. `failing` is what the looker knows of its health. */
export function serverAvailability(server: Server, failing: boolean): "ready" | ServerUnavailable {
  if (server.state !== "ready") return server.state;
  if (server.weight === 0) return "weight_zero";
  return failing ? "failing" : "ready";
}
