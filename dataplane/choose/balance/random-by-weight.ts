import type { Balancer } from "./balancer.ts";
import { drawByWeight } from "./draw-by-weight.ts";
import type { Member } from "./member.ts";
import type { Moment } from "./moment.ts";
import type { Pool } from "./pool.ts";

/** Drawn by weight: what remembers nothing and is told nothing by the others' choices. */
export class RandomByWeight implements Balancer {
  choose(pool: Pool, moment: Moment): Member | undefined {
    return drawByWeight(pool, moment);
  }

  key(): undefined {
    return undefined;
  }
}
