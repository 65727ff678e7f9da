import type { Member } from "./member.ts";
import type { Moment } from "./moment.ts";
import type { Pool } from "./pool.ts";

/** A way to choose among servers. It remembers what it needs in itself and in the members; a farm has one of its own. */
export interface Balancer {
  /** One that takes the connection; undefined where none does. Members have weights of 1 or more. */
  choose(pool: Pool, moment: Moment): Member | undefined;
  /** What stands for the client or the name, where those with the same are kept together; undefined where nothing is. */
  key(moment: Moment): number | undefined;
}
