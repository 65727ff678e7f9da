import type { Farm, Server } from "../model/resource.ts";
import type { ServerResourceName } from "../model/resource-name.ts";
import type { FirstFlight } from "./telemetry/first-flight.ts";

/** What the node keeps of a connection while the engine has it: the verdict's context. */
export interface RoutedConnection {
  readonly listener: string;
  /** Normalised, null for none. */
  readonly serverName: string | null;
  /** The route's name; null where the listener's default was taken. */
  readonly route: string | null;
  readonly farm: Farm | null;
  /** The server that it was last sent to. */
  readonly server: Server | null;
  /** When it was sent there, on the node's monotonic clock; 0 where it was not. */
  readonly sentAtMs: number;
  /** The revision that the decision was made with. */
  readonly revision: number;
  /** The route names this one server: no other may take its place. */
  readonly namesServer: boolean;
  /** Servers that did not answer this connection. */
  readonly tried: ReadonlySet<ServerResourceName>;
  /** What the server says first; null until it is asked. */
  readonly firstFlight: FirstFlight | null;
}
