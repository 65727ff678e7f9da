import type { Balancer } from "./balancer.ts";
import { drawByWeight } from "./draw-by-weight.ts";
import type { Member } from "./member.ts";
import type { Moment } from "./moment.ts";
import type { Pool } from "./pool.ts";

/**
 * Of two different servers drawn by weight, the one that has fewer connections by weight; the first where they have the
 * same (Mitzenmacher: The Power of Two Choices in Randomized Load Balancing, 2001).
 */
export class PowerOfTwo implements Balancer {
  choose(pool: Pool, moment: Moment): Member | undefined {
    const first = drawByWeight(pool, moment);
    const second = first && drawByWeight(pool, moment, first);
    if (first === undefined || second === undefined) return first;
    return load(second, moment) < load(first, moment) ? second : first;
  }

  key(): undefined {
    return undefined;
  }
}

function load(member: Member, moment: Moment): number {
  return (moment.connections(member) + 1) / (member.server.weight * moment.share(member));
}
