import type { Balancer } from "./balancer.ts";
import type { Member } from "./member.ts";
import type { Moment } from "./moment.ts";
import type { Pool } from "./pool.ts";

/** The first by name that has room: the fewest servers are in use, and weights say nothing. */
export class FirstWithRoom implements Balancer {
  choose({ members }: Pool, moment: Moment): Member | undefined {
    return members.find((member) => moment.takes(member));
  }

  key(): undefined {
    return undefined;
  }
}
