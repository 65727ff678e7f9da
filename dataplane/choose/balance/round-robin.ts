import type { Balancer } from "./balancer.ts";
import type { Member } from "./member.ts";
import type { Moment } from "./moment.ts";
import type { Pool } from "./pool.ts";

/**
 * Smooth weighted round robin (as nginx does it): each choice goes to the server whose turn is furthest due, so that
 * servers of weight 5, 1 and 1 come as a a b a c a a, not in bursts. Turns are kept in the members and survive every
 * change of the farm that does not touch the server.
 *
 * What is due is counted in shares of a connection, and a connection is as many shares as the weights of those that may
 * be chosen add up to. When that sum changes, what is due is converted: taken as it is, the turns of servers of weight
 * 1 beside one of 256 would be worth bursts of a hundred connections once the large one is gone.
 */
export class RoundRobin implements Balancer {
  choose(pool: Pool, moment: Moment): Member | undefined {
    const total = moment.weigh(pool);
    let best: Member | undefined;
    const { members, scratch } = pool;
    for (let index = 0; index < members.length; index += 1) {
      const weight = scratch[index] as number;
      if (weight === 0) continue;
      const member = members[index] as Member;
      convert(member, total);
      member.due += weight;
      if (best === undefined || member.due > best.due) best = member;
    }
    if (best !== undefined) best.due -= total;
    return best;
  }

  key(): undefined {
    return undefined;
  }
}

/** What is due to a server is converted when it is looked at next; until then it is what it was. */
function convert(member: Member, sharesPerConnection: number): void {
  if (member.dueShares === sharesPerConnection) return;
  if (member.dueShares !== 0) member.due *= sharesPerConnection / member.dueShares;
  member.dueShares = sharesPerConnection;
}
