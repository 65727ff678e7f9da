import type { Balancer } from "./balancer.ts";
import { keyOfDraw, pairUnit } from "./key-hash.ts";
import { LoadBound } from "./load-bound.ts";
import { buildMaglevTable } from "./maglev-table.ts";
import type { Member } from "./member.ts";
import type { Moment } from "./moment.ts";
import type { Pool } from "./pool.ts";
import { chooseByRendezvous } from "./rendezvous.ts";

interface Table {
  pool: Pool;
  readonly servers: readonly { readonly name: string; readonly weight: number }[];
  readonly slots: Uint16Array | Uint32Array;
}

/** Slots that are drawn for a key before servers are looked at one by one: more are needed where most do not answer. */
const drawsMax = 16;

/**
 * By a table that is the same on every node that has the same servers, of the client's address or the announced name. A
 * table is built at the first connection that needs it, and again when names, weights or states change. Health is no part of
 * it: where the server of a slot does not take a connection another slot is drawn for the same key, so that a server that
 * fails moves only its own clients, and gets them back.
 *
 * The slot beside it would not do: orders of preference are arithmetic, and so neighbours in the table are far from having
 * neighbours in proportion to their weights.
 */
export class Maglev implements Balancer {
  readonly #by: "source" | "name";
  /** By the place of a farm's pools. */
  readonly #tables: (Table | undefined)[] = [];

  constructor(by: "source" | "name") {
    this.#by = by;
  }

  choose(pool: Pool, moment: Moment): Member | undefined {
    const key = this.key(moment);
    // A table for one choice would cost more than it is worth.
    if (pool.place === undefined) return chooseByRendezvous(pool, moment, key);
    const slots = this.#slots(pool, pool.place);
    const bound = LoadBound.of(pool, moment);
    for (let draw = 0; draw < drawsMax; draw += 1) {
      const point = keyOfDraw(key, draw);
      const index = slots[point % slots.length] as number;
      const member = pool.members[index];
      if (member === undefined) return undefined;
      if (moment.takes(member) && bound?.allows(index) !== false && accepts(member, moment, point)) return member;
    }
    return chooseByRendezvous(pool, moment, key);
  }

  key(moment: Moment): number {
    return this.#by === "source" ? moment.sourceKey : moment.nameKey;
  }

  #slots(pool: Pool, place: number): Table["slots"] {
    let table = this.#tables[place];
    if (table?.pool === pool) return table.slots;
    // Most changes of a farm leave its table as it is.
    if (table !== undefined && isOf(table, pool)) table.pool = pool;
    else {
      const servers = pool.members.map(({ server: { name, weight } }) => ({ name, weight }));
      table = { pool, servers, slots: buildMaglevTable(pool.members) };
      this.#tables[place] = table;
    }
    return table.slots;
  }
}

function isOf({ servers }: Table, { members }: Pool): boolean {
  if (servers.length !== members.length) return false;
  return servers.every(({ name, weight }, index) => {
    const server = members[index]?.server;
    return server?.name === name && server.weight === weight;
  });
}

/** A server that starts slowly takes the same draws each time, and more of them as its share grows. */
function accepts(member: Member, moment: Moment, point: number): boolean {
  const share = moment.share(member);
  return share === 1 || pairUnit(point, ...member.hashes) < share;
}
