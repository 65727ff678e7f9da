import type { Change } from "../model/configuration.ts";
import type { AffinityPolicy } from "../model/farm-policy.ts";
import type { Learnt, LearntSessionId, LearntTicketName } from "../model/learnt.ts";
import { type FarmName, farmOf, type ServerResourceName } from "../model/resource-name.ts";
import type { AffinityReport } from "./affinity/advise.ts";
import { FarmAffinity } from "./affinity/farm-affinity.ts";
import type { OfferedSession } from "./affinity/offered-session.ts";
import type { FlightFacts } from "./hello/flight-facts.ts";
import type { LearntHost } from "./sharing/learnt-exchange.ts";

export interface SessionAffinityParts {
  /** Milliseconds of a monotonic clock. */
  readonly nowMs: () => number;
  /** Whether the configuration has the server. */
  readonly knows: (server: ServerResourceName) => boolean;
  /** For the other nodes of the region. */
  readonly publish: (learnt: Learnt) => void;
}

const nobody: readonly ServerResourceName[] = [];

/** Which servers can resume which TLS sessions, for all farms that follow them: what this node saw, and what others told. */
export class SessionAffinity implements LearntHost {
  readonly #parts: SessionAffinityParts;
  readonly #farms = new Map<FarmName, FarmAffinity>();

  constructor(parts: SessionAffinityParts) {
    this.#parts = parts;
  }

  apply(changes: readonly Change[]): void {
    for (const { before, after } of changes) {
      const resource = after ?? before;
      if (resource?.kind === "farm") this.#farmChanged(resource.name, after?.kind === "farm" ? after.affinity : null);
      if (resource?.kind !== "server") continue;
      // Another address is another machine, with keys of its own.
      const moved = before?.kind === "server" && after?.kind === "server" && before.address !== after.address;
      if (after === null || moved) this.#farms.get(farmOf(resource.name))?.forget(resource.name);
    }
  }

  /** Whether the farm's TLS sessions are followed. */
  follows(farm: FarmName): boolean {
    return this.#farms.has(farm);
  }

  /** The servers that can resume it. */
  servers(farm: FarmName, offered: OfferedSession | null): readonly ServerResourceName[] {
    if (offered === null) return nobody;
    return this.#farms.get(farm)?.servers(offered, this.#parts.nowMs()) ?? nobody;
  }

  /** What a server made of what a client offered; null where it said nothing of it. */
  observed(
    server: ServerResourceName,
    offered: OfferedSession | null,
    facts: FlightFacts,
  ): "accepted" | "refused" | null {
    const farm = this.#farmOf(server);
    if (farm === undefined) return null;
    const { resumed, learnt } = farm.observed(server, offered, facts, this.#parts.nowMs());
    if (learnt !== null) this.#parts.publish(learnt);
    return resumed;
  }

  /** Heads of the tickets that each of some handshakes with a server brought. */
  probed(server: ServerResourceName, handshakes: readonly (readonly Uint8Array[])[]): void {
    const learnt = this.#farmOf(server)?.probed(server, handshakes, this.#parts.nowMs());
    if (learnt != null) this.#parts.publish(learnt);
  }

  /** What others know of servers that this node does not have (any more, or yet) is dropped. */
  take(learnt: Learnt): void {
    for (const [farm, part] of byFarm(learnt, this.#parts.knows))
      this.#farms.get(farm)?.merge(part, this.#parts.nowMs());
  }

  *known(entriesMax: number): Iterable<Learnt> {
    for (const farm of this.#farms.values()) yield* farm.known(this.#parts.nowMs(), entriesMax);
  }

  /** Each is made when it is looked at. */
  *reports(): Generator<readonly [FarmName, AffinityReport]> {
    const nowMs = this.#parts.nowMs();
    for (const [name, farm] of this.#farms) yield [name, farm.report(nowMs)];
  }

  #farmOf(server: ServerResourceName): FarmAffinity | undefined {
    return this.#parts.knows(server) ? this.#farms.get(farmOf(server)) : undefined;
  }

  #farmChanged(name: FarmName, policy: AffinityPolicy | null): void {
    const known = this.#farms.get(name);
    if (policy === null || policy.tlsSessions === "ignore") this.#farms.delete(name);
    else if (known === undefined) this.#farms.set(name, new FarmAffinity(policy));
    else known.setPolicy(policy);
  }
}

interface FarmPart {
  readonly ticketNames: LearntTicketName[];
  readonly sessionIds: LearntSessionId[];
}

function byFarm({ ticketNames, sessionIds }: Learnt, knows: SessionAffinityParts["knows"]): Map<FarmName, FarmPart> {
  const farms = new Map<FarmName, FarmPart>();
  const of = (server: ServerResourceName): FarmPart => {
    const name = farmOf(server);
    let part = farms.get(name);
    if (part === undefined) {
      part = { ticketNames: [], sessionIds: [] };
      farms.set(name, part);
    }
    return part;
  };
  for (const each of ticketNames) if (knows(each.server)) of(each.server).ticketNames.push(each);
  for (const each of sessionIds) if (knows(each.server)) of(each.server).sessionIds.push(each);
  return farms;
}
