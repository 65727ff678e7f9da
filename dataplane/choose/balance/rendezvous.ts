import { LoadBound } from "./load-bound.ts";
import { pairUnit } from "./key-hash.ts";
import type { Member } from "./member.ts";
import type { Moment } from "./moment.ts";
import type { Pool } from "./pool.ts";

/**
 * Weighted rendezvous hashing (Thaler and Ravishankar 1998; weights by the logarithm: Schindelhauer and Schomaker 2005): each
 * server draws for the key a time that is exponentially distributed with its weight as the rate, and the first wins. What a
 * server draws does not depend on the others, so a change moves only keys that go to, or come from, the server that changed.
 */
export function chooseByRendezvous(pool: Pool, moment: Moment, key: number): Member | undefined {
  const bound = LoadBound.of(pool, moment);
  const { members, weights, firstHashes, secondHashes } = pool;
  let best: Member | undefined;
  let bestTime = Number.POSITIVE_INFINITY;
  for (let index = 0; index < members.length; index += 1) {
    const unit = pairUnit(key, firstHashes[index] as number, secondHashes[index] as number);
    // The time is at least this much: most servers lose without a logarithm, and without a question of their health.
    if (1 - unit >= bestTime * (weights[index] as number)) continue;
    const member = members[index] as Member;
    const weight = moment.weight(member);
    const time = -Math.log(unit) / weight;
    if (weight === 0 || time >= bestTime || bound?.allows(index) === false) continue;
    best = member;
    bestTime = time;
  }
  return best;
}
