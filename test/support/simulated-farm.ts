import type { AffinityFinding } from "../../dataplane/affinity/advise.ts";
import { FarmAffinity } from "../../dataplane/affinity/farm-affinity.ts";
import type { OfferedSession } from "../../dataplane/affinity/offered-session.ts";
import type { FlightFacts } from "../../dataplane/hello/flight-facts.ts";
import { affinityDefaults } from "../../model/farm-policy.ts";
import type { Learnt } from "../../model/learnt.ts";
import type { ServerResourceName } from "../../model/resource-name.ts";
import { seededRandom } from "./seeded-random.ts";

export const hourMs = 3_600_000;

interface Key {
  /** With which its tickets begin. */
  readonly name: Uint8Array;
}

interface Ticket {
  readonly head: Uint8Array;
  readonly key: Key;
}

type Random = () => number;

/** How a TLS stack makes and opens tickets. */
export interface Stack {
  readonly newKey: (random: Random, last: Key | undefined) => Key;
  /** Keys of a server that are in use at once. */
  readonly workers: number;
  readonly shared: boolean;
  readonly rotationMs: number | null;
  /** Rotated keys that still open tickets. */
  readonly keysKept: number;
}

const named = (length: number, ...first: number[]) => {
  return (random: Random): Key => ({
    name: Uint8Array.from([...first, ...randomBytes(random, length - first.length)]),
  });
};

export const openssl: Stack = { newKey: named(16), workers: 1, shared: false, rotationMs: null, keysKept: 0 };
export const jdk: Stack = { newKey: jdkKey, workers: 1, shared: false, rotationMs: hourMs, keysKept: 4 };
export const s2n: Stack = { ...openssl, newKey: named(17, 1) };
export const go: Stack = { ...openssl, newKey: named(0) };

/** A random number at first, then one more each time. */
function jdkKey(random: Random, last: Key | undefined): Key {
  if (last === undefined) return named(4)(random);
  const name = last.name.slice();
  const view = new DataView(name.buffer);
  view.setUint32(0, (view.getUint32(0) + 1) >>> 0);
  return { name };
}

function randomBytes(random: Random, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => Math.floor(random() * 256));
}

class SimulatedServer {
  readonly name: ServerResourceName;
  readonly #stack: Stack;
  readonly #random: Random;
  #workers: Key[][] = [];

  constructor(index: number, stack: Stack, random: Random) {
    this.name = `farms/f/servers/s${index}`;
    this.#stack = stack;
    this.#random = random;
    this.restart();
  }

  restart(): void {
    this.#workers = Array.from({ length: this.#stack.workers }, () => [this.#stack.newKey(this.#random, undefined)]);
  }

  rotate(): void {
    for (const keys of this.#workers) {
      keys.unshift(this.#stack.newKey(this.#random, keys[0]));
      keys.splice(1 + this.#stack.keysKept);
    }
  }

  share(server: SimulatedServer): void {
    this.#workers = server.#workers;
  }

  /** A connection: whether the ticket was taken, and a new one. */
  connect(offered: Ticket | null): { readonly accepted: boolean; readonly ticket: Ticket } {
    const keys = this.#workers[Math.floor(this.#random() * this.#workers.length)] as Key[];
    return { accepted: offered !== null && keys.includes(offered.key), ticket: this.#issue(keys[0] as Key) };
  }

  opens(ticket: Ticket): boolean {
    return this.#workers.flat().includes(ticket.key);
  }

  #issue(key: Key): Ticket {
    return { key, head: Uint8Array.from([...key.name, ...randomBytes(this.#random, 32 - key.name.length)]) };
  }
}

export type Learning = "checks" | "accepted PSKs" | "tickets in clear";

/** Four servers, fifty clients, two nodes that clients meet in turn and that tell each other what they learn. */
export class SimulatedFarm {
  nowMs = 0;
  offered = 0;
  accepted = 0;
  readonly servers: readonly SimulatedServer[];
  readonly #nodes = [new FarmAffinity(affinityDefaults), new FarmAffinity(affinityDefaults)];
  readonly #clients: (Ticket | null)[] = Array.from({ length: 50 }, () => null);
  readonly #stack: Stack;
  readonly #learning: Learning;
  readonly #random: Random;
  #nextRotationMs: number;

  constructor(stack: Stack, learning: Learning, seed: number) {
    this.#stack = stack;
    this.#learning = learning;
    this.#random = seededRandom(seed);
    this.#nextRotationMs = stack.rotationMs ?? Number.POSITIVE_INFINITY;
    this.servers = Array.from({ length: 4 }, (_, index) => new SimulatedServer(index, stack, this.#random));
    if (stack.shared) for (const each of this.servers.slice(1)) each.share(this.servers[0] as SimulatedServer);
  }

  node(index: number): FarmAffinity {
    return this.#nodes[index % 2] as FarmAffinity;
  }

  restartNode(index: number): void {
    const node = new FarmAffinity(affinityDefaults);
    for (const learnt of this.node(index + 1).known(this.nowMs, 10)) node.merge(learnt, this.nowMs);
    this.#nodes[index % 2] = node;
  }

  /** All clients come so many times, a pause apart. */
  visits(count: number, pauseMs: number): void {
    for (let visit = 0; visit < count; visit += 1) {
      this.#pass(pauseMs);
      for (const client of this.#clients.keys()) this.#visit(client, visit + client);
    }
  }

  finding(): AffinityFinding {
    return this.node(0).report(this.nowMs).finding;
  }

  hitRate(): number {
    return this.accepted / this.offered;
  }

  countAnew(): void {
    this.offered = 0;
    this.accepted = 0;
  }

  check(): void {
    for (const index of [0, 1]) {
      for (const server of this.servers) {
        const handshakes = [1, 2].map(() => [server.connect(null).ticket.head]);
        this.#tell(index, this.node(index).probed(server.name, handshakes, this.nowMs));
      }
    }
  }

  #pass(pauseMs: number): void {
    this.nowMs += pauseMs;
    if (this.nowMs >= this.#nextRotationMs) {
      this.#nextRotationMs += this.#stack.rotationMs ?? 0;
      for (const server of this.#stack.shared ? this.servers.slice(0, 1) : this.servers) server.rotate();
    }
    if (this.#learning === "checks") this.check();
  }

  #visit(client: number, nodeIndex: number): void {
    // One in ten is somebody new: or all would end at the servers whose names were known first.
    const held = this.#random() < 0.1 ? null : (this.#clients[client] ?? null);
    const node = this.node(nodeIndex);
    const session = held === null ? null : this.#sessionOf(held);
    const preferred = node.servers(session, this.nowMs);
    const names = preferred.length > 0 ? preferred : this.servers.map(({ name }) => name);
    const name = names[Math.floor(this.#random() * names.length)];
    const server = this.servers.find((each) => each.name === name) as SimulatedServer;
    const { accepted, ticket } = server.connect(held);
    if (held !== null && this.servers.some((each) => each.opens(held))) {
      this.offered += 1;
      if (accepted) this.accepted += 1;
    }
    const { learnt, resumed } = node.observed(server.name, session, this.#factsOf(accepted, ticket), this.nowMs);
    if (held !== null && resumed !== (accepted ? "accepted" : "refused")) throw new Error(`said to be ${resumed}`);
    this.#tell(nodeIndex, learnt);
    this.#clients[client] = ticket;
  }

  #sessionOf({ head }: Ticket): OfferedSession {
    return this.#learning === "tickets in clear" ? { kind: "ticket", head } : { kind: "psk", heads: [head] };
  }

  #factsOf(accepted: boolean, ticket: Ticket): FlightFacts {
    const facts = { answer: "server_hello", retried: false, sessionId: new Uint8Array(0), settled: true } as const;
    if (this.#learning === "tickets in clear") {
      return { ...facts, version: 0x0303, pskSelected: -1, abbreviated: accepted, ticketHead: ticket.head };
    }
    return { ...facts, version: 0x0304, pskSelected: accepted ? 0 : -1, abbreviated: false, ticketHead: null };
  }

  #tell(index: number, learnt: Learnt | null): void {
    if (learnt !== null) this.node(index + 1).merge(learnt, this.nowMs);
  }
}
