import type { Balancer } from "./balancer.ts";
import { pairUnit } from "./key-hash.ts";
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

/**
 * By a table that is the same on every node that has the same servers, of the client's address or the announced name. A
 * table is built at the first connection that needs it, and again when names, weights or states change. Health is no part of
 * it: where the server of a slot does not take a connection, the next slots are asked, so that a server that fails moves
 * only its own clients, and gets them back.
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
    const index = slots[key % slots.length] as number;
    const member = pool.members[index];
    if (member === undefined) return undefined;
    if (moment.takes(member) && bound?.allows(index) !== false && accepts(member, moment, key)) return member;
    return nextInSlots(slots, pool, moment, key, bound);
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

/** A server that starts slowly takes the same keys each time, and more of them as its share grows. */
function accepts(member: Member, moment: Moment, key: number): boolean {
  const share = moment.share(member);
  return share === 1 || pairUnit(key, ...member.hashes) < share;
}

/** Each server is asked once, in the order of the slots behind the key's own. */
function nextInSlots(
  slots: Table["slots"],
  { members }: Pool,
  moment: Moment,
  key: number,
  bound: LoadBound | undefined,
): Member | undefined {
  const asked = new Uint8Array(members.length);
  let left = members.length;
  let reluctant: Member | undefined;
  for (let step = 0; step < slots.length && left > 0; step += 1) {
    const index = slots[(key + step) % slots.length] as number;
    if (asked[index] === 1) continue;
    asked[index] = 1;
    left -= 1;
    const member = members[index] as Member;
    if (!moment.takes(member) || bound?.allows(index) === false) continue;
    if (accepts(member, moment, key)) return member;
    reluctant ??= member;
  }
  return reluctant;
}
