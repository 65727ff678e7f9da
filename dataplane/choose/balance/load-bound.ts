import type { Member } from "./member.ts";
import type { Moment } from "./moment.ts";
import type { Pool } from "./pool.ts";

/**
 * What hashing may put on a server (consistent hashing with bounded loads: Mirrokni, Thorup, Zadimoghaddam, SODA 2018): of
 * `total` connections with this one more, a server of the part p by weight has at most `ceil(p * total * factor)`. Parts are
 * of the servers that take the connection. As the factor is above 1, one of them is always below its bound.
 */
export class LoadBound {
  readonly #pool: Pool;
  readonly #moment: Moment;
  /** Connections that a weight of 1 may have. */
  readonly #perWeight: number;

  private constructor(pool: Pool, moment: Moment, perWeight: number) {
    this.#pool = pool;
    this.#moment = moment;
    this.#perWeight = perWeight;
  }

  /** Undefined where the farm sets no bound. */
  static of(pool: Pool, moment: Moment): LoadBound | undefined {
    const { hashBalanceFactor } = moment.farm;
    if (hashBalanceFactor === 0) return undefined;
    const weights = moment.weigh(pool);
    let total = 1;
    for (const [index, member] of pool.members.entries())
      if (pool.scratch[index] !== 0) total += moment.connections(member);
    return new LoadBound(pool, moment, (hashBalanceFactor * total) / (100 * weights));
  }

  /** Whether the member at this index takes the connection without going over its bound. */
  allows(index: number): boolean {
    const { members, scratch } = this.#pool;
    const bound = Math.ceil((scratch[index] as number) * this.#perWeight);
    return this.#moment.connections(members[index] as Member) < bound;
  }
}
