import type { Member } from "./member.ts";
import type { Moment } from "./moment.ts";
import type { Pool } from "./pool.ts";

/** Draws before the servers are counted out; as a rule the first is good. */
const drawsMax = 8;

/**
 * Draws a member by the weights that count now, `except` left out; undefined where none takes the connection.
 *
 * Drawn from all, and drawn again where it may not be: that needs no look at every server of a large farm, and leaves the
 * others in proportion. A server that takes a part of its weight is refused for the rest of the time.
 */
export function drawByWeight(pool: Pool, moment: Moment, except?: Member): Member | undefined {
  if (pool.members.length === 0) return undefined;
  for (let draw = 0; draw < drawsMax; draw += 1) {
    const member = pool.at(moment.random());
    if (member === except || !moment.takes(member)) continue;
    const share = moment.share(member);
    if (share === 1 || moment.random() < share) return member;
  }
  return drawCounted(pool, moment, except);
}

function drawCounted(pool: Pool, moment: Moment, except: Member | undefined): Member | undefined {
  let total = moment.weigh(pool);
  const { members, scratch } = pool;
  if (except !== undefined) {
    const index = members.indexOf(except);
    total -= scratch[index] as number;
    scratch[index] = 0;
  }
  let left = moment.random() * total;
  let last: Member | undefined;
  for (let index = 0; index < members.length; index += 1) {
    const weight = scratch[index] as number;
    if (weight === 0) continue;
    last = members[index];
    left -= weight;
    if (left < 0) break;
  }
  return last;
}
