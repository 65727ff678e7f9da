import type { NatsConnection } from "nats";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectNats } from "../../controlplane/nats/connect.ts";
import { NatsLease } from "../../controlplane/nats/nats-lease.ts";
import { logNames } from "../../model/log-names.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";
import { waitFor } from "../support/wait-for.ts";
import { leaseHolder } from "./lease-process.ts";

let server: NatsServer;
let installations = 0;

beforeAll(async () => {
  server = await startNatsServer();
});

afterAll(async () => {
  await server.dispose();
});

/** Replicas of an installation of its own, each with its own connection; and a watch that no two of them hold at a time. */
class Replicas {
  readonly names = logNames(`lease${(installations += 1)}`);
  readonly leases: NatsLease[] = [];
  readonly durationMs: number;
  /** Holders in the order in which they took it. */
  readonly takers: number[] = [];
  readonly #connections: NatsConnection[] = [];
  readonly #url: string;
  #two = "";
  #looks = 0;
  #watching = true;

  constructor(durationMs: number, url = server.url) {
    this.durationMs = durationMs;
    this.#url = url;
    this.#watch();
  }

  async add(count: number): Promise<void> {
    for (let each = 0; each < count; each += 1) {
      const connection = await connectNats({ servers: this.#url, name: `replica ${each}` });
      this.#connections.push(connection);
      this.leases.push(await this.#lease(connection, this.leases.length));
    }
  }

  /** The replica gives it back, and takes part anew: another process, on the same connection. */
  async restart(index: number): Promise<void> {
    await this.leases[index]!.close();
    this.leases[index] = await this.#lease(this.#connections[index]!, index);
  }

  holder(): number | undefined {
    const index = this.leases.findIndex((lease) => lease.held);
    return index === -1 ? undefined : index;
  }

  async held(): Promise<number> {
    await waitFor("one holds it", () => this.holder() !== undefined);
    return this.holder()!;
  }

  async manager() {
    return this.#connections[0]!.jetstreamManager();
  }

  /** Sequence of the stream: how often it was written. */
  async written(): Promise<number> {
    return (await (await this.manager()).streams.info(this.names.leaseStream)).state.last_seq;
  }

  async close(): Promise<void> {
    for (const lease of this.leases) await lease.close();
    this.#watching = false;
    for (const connection of this.#connections) await connection.close();
    expect(this.#looks).toBeGreaterThan(10);
    expect(this.#two).toBe("");
  }

  async #lease(connection: NatsConnection, index: number): Promise<NatsLease> {
    const { names, durationMs } = this;
    const onChange = (held: boolean): void => {
      this.#look();
      if (held) this.takers.push(index);
    };
    return NatsLease.of({ connection, names, replicaId: `cp-${index}`, replicas: 1, durationMs, onChange });
  }

  #look(): void {
    const holding = this.leases.flatMap((lease, index) => (lease.held ? [index] : []));
    this.#looks += 1;
    if (holding.length > 1) this.#two = `${holding.join(" and ")} at once, after ${this.takers.join(" ")}`;
  }

  #watch(): void {
    this.#look();
    if (this.#watching) setImmediate(() => this.#watch());
  }
}

test("of three replicas one holds it, over hundreds of renewals, and it keeps it", async () => {
  const replicas = new Replicas(30);
  await replicas.add(3);
  const holder = await replicas.held();
  await expect.poll(() => replicas.written(), { timeout: 100_000 }).toBeGreaterThan(800);
  await replicas.close();
  expect(replicas.takers).toContain(holder);
}, 120_000);

test("given back, another has it; time after time, and never two", async () => {
  const replicas = new Replicas(200);
  await replicas.add(3);
  for (let round = 0; round < 80; round += 1) await replicas.restart(await replicas.held());
  expect(replicas.takers.length).toBeGreaterThanOrEqual(80);
  await replicas.close();
}, 120_000);

test("the server is restarted, and its store is gone: one holds it again, never two", async () => {
  const own = await startNatsServer();
  const replicas = new Replicas(600, own.url);
  try {
    await replicas.add(3);
    for (const loses of [false, true, false]) {
      await replicas.held();
      await own.kill();
      await waitFor("nobody renews", () => replicas.holder() === undefined);
      if (loses) own.wipeStore();
      await own.start();
      await replicas.held();
    }
    await replicas.close();
  } finally {
    await own.dispose();
  }
}, 120_000);

test("the stream is deleted under them: it is made again, and never two hold it", async () => {
  const replicas = new Replicas(150);
  await replicas.add(3);
  for (let round = 0; round < 20; round += 1) {
    await replicas.held();
    const before = replicas.takers.length;
    await (await replicas.manager()).streams.delete(replicas.names.leaseStream);
    await expect.poll(() => replicas.written().catch(() => 0), { timeout: 30_000, interval: 5 }).toBeGreaterThan(0);
    expect(replicas.takers.length).toBeGreaterThanOrEqual(before);
  }
  await replicas.close();
}, 120_000);

test("a holder that is killed is followed by another", async () => {
  const replicas = new Replicas(500);
  const victim = leaseHolder(server.url, replicas.names.namespace, 500);
  await victim.says("held");
  await replicas.add(2);
  await victim.end("SIGKILL");
  await replicas.held();
  await replicas.close();
}, 60_000);

test("a holder that is stopped past its end does not think that it holds when it goes on", async () => {
  const replicas = new Replicas(500);
  const stopped = leaseHolder(server.url, replicas.names.namespace, 500);
  await stopped.says("held");
  await replicas.add(1);
  stopped.signal("SIGSTOP");
  await replicas.held();
  stopped.signal("SIGCONT");
  // The first that it looks at after the stop.
  await stopped.says("resumed lost");
  expect(replicas.leases[0]!.held).toBe(true);
  await stopped.end("SIGTERM");
  await replicas.close();
}, 60_000);
