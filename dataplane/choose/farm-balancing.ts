import type { Farm, Server } from "../../model/resource.ts";
import type { ServerResourceName } from "../../model/resource-name.ts";
import type { Balancer } from "./balance/balancer.ts";
import { makeBalancer } from "./balance/make-balancer.ts";
import { type Member, newMember } from "./balance/member.ts";
import { type Tiers, tiersOf } from "./tiers.ts";

type Servers = ReadonlyMap<ServerResourceName, Server>;

/** A farm's servers arranged for choosing. */
export interface Arrangement {
  /** What they were arranged for: the farm's policy, and the node's region. */
  readonly farm: Farm;
  readonly region: string;
  readonly balancer: Balancer;
  readonly tiers: Tiers;
  /** All servers, whatever their state. */
  readonly members: ReadonlyMap<ServerResourceName, Member>;
}

/**
 * What balancing keeps of one farm: what its balancer remembers, and the servers arranged for choosing. They are arranged at
 * the first choice after a change, so that a commit of thousands of servers costs nothing more.
 */
export class FarmBalancing {
  readonly #members = new Map<ServerResourceName, Member>();
  #balance: Farm["balance"] | undefined;
  #balancer: Balancer | undefined;
  #arrangement: Arrangement | undefined;

  /** A server is new, or configured otherwise. */
  changed(): void {
    this.#arrangement = undefined;
  }

  /** A server has gone: should it come back, it begins anew. */
  forget(server: ServerResourceName): void {
    this.#members.delete(server);
    this.#arrangement = undefined;
  }

  arranged(farm: Farm, servers: Servers, region: string): Arrangement {
    const kept = this.#arrangement;
    if (kept !== undefined && kept.farm === farm && kept.region === region) return kept;
    const balancer = this.#balancerFor(farm);
    const members = [...servers.values()].map((server) => this.#member(server));
    members.sort((one, other) => (one.server.name < other.server.name ? -1 : 1));
    const tiers = tiersOf(farm, members, region);
    this.#arrangement = { farm, region, balancer, tiers, members: this.#members };
    return this.#arrangement;
  }

  /** Another way to balance begins without what the last one remembered. */
  #balancerFor({ balance }: Farm): Balancer {
    if (this.#balancer === undefined || balance !== this.#balance) {
      this.#members.clear();
      this.#balancer = makeBalancer(balance);
      this.#balance = balance;
    }
    return this.#balancer;
  }

  #member(server: Server): Member {
    let member = this.#members.get(server.name);
    if (member === undefined) {
      member = newMember(server);
      this.#members.set(server.name, member);
    }
    member.server = server;
    return member;
  }
}
