import type { ListenerName } from "../../../model/resource-name.ts";
import type { ServerName } from "../../../model/server-name.ts";

/** What some clients announced lately, and never where they came from. */
export interface SampledHello {
  readonly listener: ListenerName;
  /** Null for a complete hello without a name. */
  readonly serverName: ServerName | null;
  /** In the clients' order of preference. */
  readonly alpnProtocols: readonly string[];
  /** How many of them were seen, where one in some is looked at: about as many as there were. */
  readonly count: number;
}
