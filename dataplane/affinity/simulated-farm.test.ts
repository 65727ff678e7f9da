import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { affinityDefaults } from "../../model/farm-policy.ts";
import type { Learnt } from "../../model/learnt.ts";
import type { ServerResourceName } from "../../model/resource-name.ts";
import { runSeed, seededRandom } from "../../test/support/seeded-random.ts";
import type { FlightFacts } from "../hello/flight-facts.ts";
import type { AffinityFinding } from "./advise.ts";
import { FarmAffinity } from "./farm-affinity.ts";
import type { OfferedSession } from "./offered-session.ts";

const hourMs = 3_600_000;
const minuteMs = 60_000;

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
interface Stack {
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

const openssl: Stack = { newKey: named(16), workers: 1, shared: false, rotationMs: null, keysKept: 0 };
const jdk: Stack = { newKey: jdkKey, workers: 1, shared: false, rotationMs: hourMs, keysKept: 4 };
const s2n: Stack = { ...openssl, newKey: named(17, 1) };
const go: Stack = { ...openssl, newKey: named(0) };

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

type Learning = "checks" | "accepted PSKs" | "tickets in clear";

/** Four servers, fifty clients, two nodes that clients meet in turn and that tell each other what they learn. */
class SimulatedFarm {
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
    if (held !== null && resumed !== (accepted ? "accepted" : "refused")) expect.fail(`said to be ${resumed}`);
    this.#tell(nodeIndex, learnt);
    this.#clients[client] = ticket;
  }

  #sessionOf({ head }: Ticket): OfferedSession {
    return this.#learning === "tickets in clear" ? { kind: "ticket", head } : { kind: "psk", heads: [head] };
  }

  #factsOf(accepted: boolean, ticket: Ticket): FlightFacts {
    const facts = { answer: "server_hello", sessionId: new Uint8Array(0), settled: true } as const;
    if (this.#learning === "tickets in clear") {
      return { ...facts, version: 0x0303, pskSelected: -1, abbreviated: accepted, ticketHead: ticket.head };
    }
    return { ...facts, version: 0x0304, pskSelected: accepted ? 0 : -1, abbreviated: false, ticketHead: null };
  }

  #tell(index: number, learnt: Learnt | null): void {
    if (learnt !== null) this.node(index + 1).merge(learnt, this.nowMs);
  }
}

const learnings: readonly Learning[] = ["checks", "accepted PSKs", "tickets in clear"];

/** For each of some seeds, which are other ones in each run. */
function always(law: (seed: number) => void, numRuns = 8): void {
  fc.assert(fc.property(fc.nat(), law), { seed: runSeed(), numRuns });
}

describe(`clients are led back to the server that can resume them (seed ${runSeed()})`, () => {
  for (const learning of learnings) {
    for (const [stack, of] of Object.entries({
      "16-byte names": openssl,
      "s2n's 17": s2n,
      "the JDK's 4": { ...jdk, rotationMs: null },
    })) {
      it(`by ${stack}, learnt from ${learning}, while a node restarts`, () => {
        always((seed) => {
          const farm = new SimulatedFarm(of, learning, seed);
          farm.visits(15, 1000);
          farm.countAnew();
          farm.visits(5, 1000);
          farm.restartNode(seed);
          farm.visits(5, 1000);
          expect(farm.hitRate()).toBeGreaterThanOrEqual(0.99);
          expect(farm.finding()).toBe("key_per_server");
        });
      });
    }
  }

  it("by every key that a server still takes, when keys rotate", () => {
    const stacks = [jdk, { ...openssl, rotationMs: 6 * hourMs, keysKept: 1 }, { ...openssl, rotationMs: 2 * hourMs }];
    for (const stack of stacks) {
      always((seed) => {
        const farm = new SimulatedFarm(stack, "checks", seed);
        farm.visits(2, minuteMs);
        farm.countAnew();
        farm.visits(110, 15 * minuteMs);
        expect(farm.hitRate()).toBeGreaterThanOrEqual(0.99);
        expect(farm.finding()).toBe("rotating_keys");
        const { sentence } = farm.node(0).report(farm.nowMs);
        expect(sentence).toContain(
          `every ${stack === jdk ? "60 minutes" : `${(stack.rotationMs as number) / hourMs} hours`}`,
        );
      }, 4);
    }
  });

  it("at the first ticket of a new key, when a server restarts", () => {
    always((seed) => {
      const farm = new SimulatedFarm(openssl, "checks", seed);
      farm.visits(6, 1000);
      farm.servers[2]?.restart();
      farm.check();
      farm.countAnew();
      farm.visits(6, 1000);
      expect(farm.hitRate()).toBeGreaterThanOrEqual(0.99);
    });
  });

  it("or to any of them, where they share keys", () => {
    for (const learning of learnings) {
      always((seed) => {
        const farm = new SimulatedFarm({ ...openssl, shared: true }, learning, seed);
        farm.visits(30, 1000);
        expect(farm.hitRate()).toBe(1);
        expect(farm.finding()).toBe("shared_keys");
        const [known] = farm.node(0).known(farm.nowMs, 100);
        expect(new Set(known?.ticketNames.map(({ server }) => server)).size).toBe(4);
      });
    }
  });
});

describe("what can't be had is said", () => {
  it("where tickets have no name", () => {
    for (const learning of learnings) {
      always((seed) => {
        const farm = new SimulatedFarm(go, learning, seed);
        farm.visits(20, 1000);
        expect(farm.finding()).toBe("no_key_name");
        expect(farm.node(0).report(farm.nowMs).ticketNames).toBe(0);
      });
    }
  });

  it("where each worker has a key of its own, and their names are known all the same", () => {
    for (const learning of learnings) {
      always((seed) => {
        const workers = 2 + (Math.abs(seed) % 4);
        const farm = new SimulatedFarm({ ...openssl, workers }, learning, seed);
        farm.visits(40, 1000);
        expect(farm.finding()).toBe("key_per_worker");
        // A client that two workers refused in turn teaches nothing of either.
        const namesMin = learning === "accepted PSKs" ? 4 : 4 * workers;
        expect(farm.node(0).report(farm.nowMs).ticketNames).toBeGreaterThanOrEqual(namesMin);
        expect(farm.hitRate()).toBeGreaterThan(0.5 / workers);
      });
    }
  });
});
