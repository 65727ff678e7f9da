import type { ChoiceRequest } from "../../dataplane/choose/choice-request.ts";
import { chooseServer } from "../../dataplane/choose/choose-server.ts";
import { type FarmRouting, Routing } from "../../dataplane/choose/routing.ts";
import type { ServerConditions } from "../../dataplane/choose/server-conditions.ts";
import { ipBytes, parseSocketAddress, type SocketAddress } from "../../model/address.ts";
import { farmPolicyDefaults } from "../../model/farm-policy.ts";
import type { Farm, Resource, Server } from "../../model/resource.ts";
import type { ServerResourceName } from "../../model/resource-name.ts";
import { seededRandom } from "./seeded-random.ts";

/** What a node knows of a server: healthy, reachable, without connections and with all of its share, unless it says otherwise. */
export interface Condition {
  healthy?: boolean;
  reachable?: boolean;
  share?: number;
  connections?: number;
}

export const plainFarm: Farm = {
  kind: "farm",
  name: "farms/f",
  balance: "round_robin",
  connectTimeoutMs: 5000,
  connectAttemptsMax: 3,
  serverIdleTimeoutMs: 60_000,
  halfCloseTimeoutMs: 60_000,
  ...farmPolicyDefaults,
};

const plainServer: Omit<Server, "name"> = {
  kind: "server",
  address: parseSocketAddress("127.0.0.1:1") as SocketAddress,
  weight: 1,
  region: "",
  backup: false,
  state: "ready",
  connectionsMax: 0,
  checkAddress: null,
};

const encoder = new TextEncoder();

const named = (id: string): ServerResourceName => `farms/f/servers/${id}`;

/** One farm in a node's routing, changed as commits change it, with conditions that a test sets. */
export class ChoosingFarm implements ServerConditions {
  readonly routing = new Routing(1);
  readonly conditions = new Map<string, Condition>();
  readonly #region: string;
  readonly #random: () => number;
  #farm: Farm | undefined;

  constructor(policy: Partial<Farm>, { seed = 1, region = "" } = {}) {
    this.#region = region;
    this.#random = seededRandom(seed);
    this.setPolicy(policy);
  }

  setPolicy(policy: Partial<Farm>): void {
    const after: Farm = { ...(this.#farm ?? plainFarm), ...policy };
    this.#change(this.#farm ?? null, after);
    this.#farm = after;
  }

  put(id: string, fields: Partial<Server> = {}, condition: Condition = {}): this {
    const before = this.routing.server(named(id)) ?? null;
    this.#change(before, { ...(before ?? { ...plainServer, name: named(id) }), ...fields });
    this.conditions.set(id, { ...this.conditions.get(id), ...condition });
    return this;
  }

  remove(id: string): void {
    this.#change(this.routing.server(named(id)) ?? null, null);
    this.conditions.delete(id);
  }

  /** The server's id, or why there is none. */
  choose(request: Choosing = {}): string {
    const choice = this.choice(request);
    return "none" in choice ? choice.none : choice.server.name.slice(named("").length);
  }

  /** The same with what it was chosen by: `a affinity`. */
  explained(request: Choosing = {}): string {
    const choice = this.choice(request);
    return "none" in choice ? choice.none : `${choice.server.name.slice(named("").length)} ${choice.by}`;
  }

  /** Ids of many choices, after each other. */
  several(times: number, request: Choosing = {}): string[] {
    return Array.from({ length: times }, () => this.choose(request));
  }

  choice({ tried = [], preferred = [], source = null, name = "", random }: Choosing): ReturnType<typeof chooseServer> {
    const request: ChoiceRequest = {
      tried: new Set(tried.map(named)),
      preferred: preferred.map(named),
      source: source === null ? null : typeof source === "string" ? (ipBytes(source) as Uint8Array) : source,
      nameBytes: encoder.encode(name),
      region: this.#region,
      random: random ?? this.#random,
    };
    return chooseServer(this.routing.farm(plainFarm.name) as FarmRouting, request, this);
  }

  /** A connection more, or fewer. */
  add(id: string, connections: number): void {
    const condition = this.conditions.get(id) ?? {};
    this.conditions.set(id, { ...condition, connections: (condition.connections ?? 0) + connections });
  }

  isHealthy(server: ServerResourceName): boolean {
    const { healthy = true, reachable = true } = this.#condition(server);
    return healthy && reachable;
  }

  isReachable(server: ServerResourceName): boolean {
    return this.#condition(server).reachable ?? true;
  }

  share(server: ServerResourceName): number {
    return this.#condition(server).share ?? 1;
  }

  connections(server: ServerResourceName): number {
    return this.#condition(server).connections ?? 0;
  }

  #condition(server: ServerResourceName): Condition {
    return this.conditions.get(server.slice(named("").length)) ?? {};
  }

  #change(before: Resource | null, after: Resource | null): void {
    this.routing.apply([{ before, after }]);
  }
}

/** A connection, as ids and texts. */
export interface Choosing {
  readonly tried?: readonly string[];
  readonly preferred?: readonly string[];
  readonly source?: string | Uint8Array | null;
  readonly name?: string;
  readonly random?: () => number;
}

/** How often each comes. */
export function countEach(ids: Iterable<string>): Record<string, number> {
  const all: Record<string, number> = {};
  for (const id of ids) all[id] = (all[id] ?? 0) + 1;
  return all;
}

/** The client of a number: addresses of 10.0.0.0/8 after each other. */
export function clientAddress(index: number): Uint8Array {
  return Uint8Array.of(10, (index >> 16) & 0xff, (index >> 8) & 0xff, index & 0xff);
}
