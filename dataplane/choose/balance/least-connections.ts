import type { Balancer } from "./balancer.ts";
import type { Member } from "./member.ts";
import type { Moment } from "./moment.ts";
import type { Pool } from "./pool.ts";

/**
 * The server that would have the fewest connections by weight with this one more; of several, the one whose last turn is
 * the longest ago.
 */
export class LeastConnections implements Balancer {
  #turns = 0;

  choose({ members }: Pool, moment: Moment): Member | undefined {
    let best: Member | undefined;
    let bestLoad = Number.POSITIVE_INFINITY;
    for (const member of members) {
      const connections = moment.connections(member) + 1;
      // A share of the weight only makes it more: health and share are asked of those that may win.
      if (connections / member.server.weight > bestLoad) continue;
      const weight = moment.weight(member);
      const load = connections / weight;
      if (weight === 0 || load > bestLoad) continue;
      if (load === bestLoad && best !== undefined && best.lastTurn <= member.lastTurn) continue;
      best = member;
      bestLoad = load;
    }
    if (best !== undefined) {
      this.#turns += 1;
      best.lastTurn = this.#turns;
    }
    return best;
  }

  key(): undefined {
    return undefined;
  }
}
