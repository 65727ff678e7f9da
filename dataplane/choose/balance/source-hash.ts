import type { Balancer } from "./balancer.ts";
import type { Member } from "./member.ts";
import type { Moment } from "./moment.ts";
import type { Pool } from "./pool.ts";
import { chooseByRendezvous } from "./rendezvous.ts";

/** By the client's address: the same server on every node, and nothing is remembered. */
export class SourceHash implements Balancer {
  choose(pool: Pool, moment: Moment): Member | undefined {
    return chooseByRendezvous(pool, moment, moment.sourceKey);
  }

  key(moment: Moment): number {
    return moment.sourceKey;
  }
}
