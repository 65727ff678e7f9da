import { unmapped } from "../../../model/address.ts";
import type { Farm } from "../../../model/resource.ts";
import type { ChoiceRequest } from "../choice-request.ts";
import type { ServerConditions } from "../server-conditions.ts";
import { bitsHash } from "./key-hash.ts";
import type { Member } from "./member.ts";
import type { Pool } from "./pool.ts";

/** The servers of a farm as they are for one connection, at the moment at which it is chosen for. */
export class Moment {
  readonly farm: Farm;
  readonly request: ChoiceRequest;
  /** Panic: what is known of health is not believed. */
  panic = false;
  readonly #conditions: ServerConditions;
  #sourceKey: number | undefined;
  #nameKey: number | undefined;

  constructor(farm: Farm, request: ChoiceRequest, conditions: ServerConditions) {
    this.farm = farm;
    this.request = request;
    this.#conditions = conditions;
  }

  isHealthy({ server: { name } }: Member): boolean {
    return this.panic ? this.#conditions.isReachable(name) : this.#conditions.isHealthy(name);
  }

  isReachable({ server }: Member): boolean {
    return this.#conditions.isReachable(server.name);
  }

  /** Whether this connection could go there, were there room. */
  isUsable(member: Member): boolean {
    const { tried } = this.request;
    return (tried.size === 0 || !tried.has(member.server.name)) && this.isHealthy(member);
  }

  /** Whether this connection can go there. */
  takes(member: Member): boolean {
    return this.hasRoom(member) && this.isUsable(member);
  }

  hasRoom({ server }: Member): boolean {
    return server.connectionsMax === 0 || this.#conditions.connections(server.name) < server.connectionsMax;
  }

  connections({ server }: Member): number {
    return this.#conditions.connections(server.name);
  }

  /** Part of its weight that a server takes now, above 0 to 1. */
  share({ server }: Member): number {
    return this.#conditions.share(server.name);
  }

  /** The weight that counts now; 0 where this connection can't go there. */
  weight(member: Member): number {
    return this.takes(member) ? member.server.weight * this.share(member) : 0;
  }

  /** Writes the weights that count now into the pool's scratch, and returns their sum. */
  weigh({ members, scratch }: Pool): number {
    let total = 0;
    for (let index = 0; index < members.length; index += 1) {
      const weight = this.weight(members[index] as Member);
      scratch[index] = weight;
      total += weight;
    }
    return total;
  }

  random(): number {
    return this.request.random();
  }

  /** What the client is hashed by; of an address that is not known, anything. 32 bits, unsigned. */
  get sourceKey(): number {
    this.#sourceKey ??= this.#newSourceKey();
    return this.#sourceKey;
  }

  /** The same of the announced name. */
  get nameKey(): number {
    const { nameBytes } = this.request;
    this.#nameKey ??= nameBytes.length === 0 ? this.#anyKey() : bitsHash(nameBytes, nameBytes.length * 8);
    return this.#nameKey;
  }

  #newSourceKey(): number {
    if (this.request.source === null) return this.#anyKey();
    const { sourcePrefixV4, sourcePrefixV6 } = this.farm.affinity;
    const address = unmapped(this.request.source);
    return bitsHash(address, address.length === 4 ? sourcePrefixV4 : sourcePrefixV6);
  }

  #anyKey(): number {
    return Math.floor(this.random() * 2 ** 32);
  }
}
