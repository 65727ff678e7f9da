import type { Server } from "./resource.ts";

/** Why a farm's balancing passes a server over. */
export type ServerUnavailable = "drain" | "maintenance" | "weight_zero" | "failing";

/** Whether balancing may choose a server, backups aside. `failing` is what the looker knows of its health. */
export function serverAvailability(server: Server, failing: boolean): "ready" | ServerUnavailable {
  if (server.state !== "ready") return server.state;
  if (server.weight === 0) return "weight_zero";
  return failing ? "failing" : "ready";
}
