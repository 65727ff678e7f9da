import type { Server } from "../../../model/resource.ts";
import { farmOf } from "../../../model/resource-name.ts";
import { textHash } from "./key-hash.ts";

/** A server of a farm, with what balancers remember of it. It outlives every change of the farm that does not touch it. */
export interface Member {
  /** As it is configured now. */
  server: Server;
  /** Two hashes of its id, the same on every node: where it stands for the hashing balancers. */
  readonly hashes: readonly [number, number];
  /** Round robin: what it is owed, counted in shares of which `dueShares` make a connection. */
  due: number;
  dueShares: number;
  /** Least connections: when it was last chosen, as a count of choices; 0 for never. */
  lastTurn: number;
}

const seeds = [0x5bd1_e995, 0x27d4_eb2f] as const;

export function newMember(server: Server): Member {
  const id = server.name.slice(farmOf(server.name).length);
  const hashes = [textHash(id, seeds[0]), textHash(id, seeds[1])] as const;
  return { server, hashes, due: 0, dueShares: 0, lastTurn: 0 };
}
