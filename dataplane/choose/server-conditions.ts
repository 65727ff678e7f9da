import type { ServerResourceName } from "../../model/resource-name.ts";

/** What choosing asks of a server at one moment: health, and what this node has there. */
export interface ServerConditions {
  /** Neither down nor ejected, and with an address. */
  isHealthy(server: ServerResourceName): boolean;
  /** Part of its weight that it takes, above 0 to 1: less than 1 while it starts slowly. */
  share(server: ServerResourceName): number;
  /** Live connections of this node, those that are being made among them. */
  connections(server: ServerResourceName): number;
  /** It has no address: not even panic brings anything there. */
  isReachable(server: ServerResourceName): boolean;
}
