import type { Change } from "../model/configuration.ts";
import type { Learnt } from "../model/learnt.ts";
import type { FarmName, ServerResourceName } from "../model/resource-name.ts";
import type { Routing } from "./choose/routing.ts";
import { HealthChecker } from "./health/health-checker.ts";
import { LocalProber } from "./health/probes/local-prober.ts";
import type { Prober } from "./health/probes/prober.ts";
import { type HealthTransition, ServerHealthBoard } from "./health/server-health.ts";
import { ResolvedAddresses } from "./resolve/resolved-addresses.ts";
import type { Resolve } from "./resolve/resolve.ts";
import { ServerDispatch } from "./server-dispatch.ts";
import { ServerLoads } from "./server-loads.ts";
import { SessionAffinity } from "./session-affinity.ts";

export interface ServerSideParts {
  readonly routing: Routing;
  readonly resolve: Resolve;
  /** Makes the checks of servers, and is closed with this; in this thread where there is none. */
  readonly prober?: Prober | undefined;
  /** The node's own region; empty for none. */
  readonly region: string;
  /** Begins the unique ids of this process's connections. */
  readonly instance: string;
  /** Whether the engine can connect from a client's address. */
  readonly sourceTransparent: () => boolean;
  /** Milliseconds of a monotonic clock. */
  readonly nowMs: () => number;
  /** From 0 to below 1, as Math.random. */
  readonly random: () => number;
  /** What was learnt of TLS sessions, for the other nodes of the region. */
  readonly publish: (learnt: Learnt) => void;
  readonly onTransition: (transition: HealthTransition) => void;
  /** Hears, in a sentence, that a name can't be resolved. */
  readonly onUnresolved: (host: string, why: string) => void;
  /** A name got or lost addresses: connections that wait may find room. */
  readonly onAddresses: () => void;
}

/** What a node knows of the servers behind it: how they are, where they are, what it has there, whose sessions they have. */
export class ServerSide {
  readonly loads = new ServerLoads();
  readonly health = new ServerHealthBoard();
  readonly addresses: ResolvedAddresses;
  readonly affinity: SessionAffinity;
  readonly dispatch: ServerDispatch;
  /** Farms whose servers are to see the client's own address. */
  readonly transparentFarms = new Set<FarmName>();
  readonly #checker: HealthChecker;
  readonly #parts: ServerSideParts;

  constructor(parts: ServerSideParts) {
    this.#parts = parts;
    const { routing, nowMs, random, publish, resolve, region, instance, sourceTransparent } = parts;
    this.health.onTransition(parts.onTransition);
    this.addresses = new ResolvedAddresses({
      resolve,
      nowMs,
      random,
      onFault: parts.onUnresolved,
      onChange: (server) => {
        this.health.resolved(server, this.addresses.isReachable(server), nowMs());
        parts.onAddresses();
      },
    });
    this.affinity = new SessionAffinity({
      nowMs,
      publish,
      knows: (server) => routing.server(server) !== undefined,
    });
    const { affinity, health, addresses, loads } = this;
    const known = { routing, affinity, health, addresses, loads };
    this.dispatch = new ServerDispatch({ ...known, region, instance, sourceTransparent, nowMs, random });
    this.#checker = new HealthChecker({
      board: this.health,
      addresses: this.addresses,
      onTickets: (server, handshakes) => this.affinity.probed(server, handshakes),
      now: nowMs,
      random,
      prober: parts.prober ?? new LocalProber(),
    });
  }

  /** Carries out changes that the routing has taken already. */
  apply(changes: readonly Change[]): void {
    const nowMs = this.#parts.nowMs();
    for (const { before, after } of changes) {
      if (before?.kind === "farm") this.transparentFarms.delete(before.name);
      if (after?.kind === "farm" && after.sourceTransparent) this.transparentFarms.add(after.name);
    }
    this.health.apply(changes, nowMs);
    this.addresses.apply(changes);
    this.affinity.apply(changes);
    this.#checker.apply(changes);
  }

  /** Live connections by server: those of servers in DRAIN or MAINTENANCE first, as somebody waits for their end. */
  *connections(): Generator<readonly [ServerResourceName, number]> {
    const others: (readonly [ServerResourceName, number])[] = [];
    for (const entry of this.loads.entries()) {
      const state = this.#parts.routing.server(entry[0])?.state ?? "maintenance";
      if (state === "ready") others.push(entry);
      else yield entry;
    }
    yield* others;
  }

  /** Cuts off what is under way. */
  async close(): Promise<void> {
    this.addresses.close();
    await this.#checker.close();
  }
}
