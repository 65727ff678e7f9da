import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { freePorts } from "../e2e/running-switchyard.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";
import { runTool } from "../support/run-tool.ts";
import { testCertificate } from "../support/test-certificate.ts";
import { type NetworkHost } from "../support/test-network.ts";
import { CommitStream } from "./commit-stream.ts";
import { FleetProcess } from "./fleet-process.ts";
import { edgePort, RealFleet, until } from "./real-fleet.ts";
import { SlowLink } from "./slow-link.ts";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";

/** The link of a region is cut for so long. */
const cutMs = 30_000;

/** One way. */
const slowMs = 100;
const lostPercent = 5;

const serverPort = 9443;

/** A region: a host with a leaf server, TLS servers and nodes, none of which knows anything outside but its own leaf server. */
class Region {
  readonly name: string;
  readonly host: NetworkHost;
  readonly leaf: NatsServer;
  readonly #folder: string;
  readonly #controls: readonly string[];
  readonly #tlsServer: ChildProcess;

  private constructor(parts: {
    name: string;
    host: NetworkHost;
    leaf: NatsServer;
    folder: string;
    controls: readonly string[];
    tlsServer: ChildProcess;
  }) {
    this.name = parts.name;
    this.host = parts.host;
    this.leaf = parts.leaf;
    this.#folder = parts.folder;
    this.#controls = parts.controls;
    this.#tlsServer = parts.tlsServer;
  }

  static async start(fleet: RealFleet, name: string, leafUrl: string, folder: string): Promise<Region> {
    const host = await fleet.network.host(name);
    const config = `server_name: ${name}\nleafnodes { reconnect: 1, remotes: [{ url: "${leafUrl}" }] }`;
    const leaf = await startNatsServer({ host: host.address, prefix: host.prefix, domain: name, config });
    const made = await fleet.run(["init", "nats", "--nats", leaf.url, "--region", name, "--hub-domain", "hub"]);
    if (made.exitCode !== 0) throw new Error(`init nats --region ${name}: ${made.stderr}`);
    const { key, cert } = await testCertificate("app.test");
    const files = { key: join(folder, `${name}.key`), cert: join(folder, `${name}.pem`) };
    writeFileSync(files.key, key);
    writeFileSync(files.cert, cert);
    const words = [
      "openssl",
      "s_server",
      "-accept",
      String(serverPort),
      "-key",
      files.key,
      "-cert",
      files.cert,
      "-www",
    ];
    const [program, ...rest] = [...host.prefix, ...words] as [string, ...string[]];
    const tlsServer = spawn(program, rest, { stdio: "ignore" });
    const controls = fleet.replicas.flatMap(({ address }) => ["--control", address]);
    return new Region({ name, host, leaf, folder, controls, tlsServer });
  }

  /** A node that knows the region's server only; all of a region share its host, so one at a time listens. */
  node(id: string): FleetProcess {
    const where = ["--nats", this.leaf.url, "--state-dir", join(this.#folder, id), ...this.#controls];
    const line = ["node", ...where, "--id", id, "--region", this.name, "--http-address", "127.0.0.1:0"];
    return new FleetProcess(id, line, /node \S+ at revision (\d+)/, { prefix: this.host.prefix });
  }

  /** Whether a client in the region reaches `app.test` through the region's node. */
  async routes(): Promise<boolean> {
    const client = ["openssl", "s_client", "-connect", `127.0.0.1:${edgePort}`, "-servername", "app.test"];
    const [program, ...rest] = [...this.host.prefix, ...client] as [string, ...string[]];
    return (await runTool(program, rest, "iproute2 openssl")).stdout.includes("CN = app.test");
  }

  async stop(): Promise<void> {
    this.#tlsServer.kill("SIGKILL");
    if (this.#tlsServer.exitCode === null && this.#tlsServer.signalCode === null) await once(this.#tlsServer, "exit");
    await this.leaf.dispose();
  }
}

const ending: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

test(`a region whose link to the hub is cut for ${cutMs / 1000} s keeps its node, restarts it, brings up a new one, and catches up by itself`, async () => {
  const folder = mkdtempSync(join(tmpdir(), "switchyard-regions-"));
  ending.push(async () => rmSync(folder, { recursive: true, force: true }));
  const [leafPort] = (await freePorts(1)) as [number];
  const fleet = await RealFleet.start({ replicas: 1, nodes: 0, hubLeafPort: leafPort });
  ending.push(() => fleet.stop());
  await fleet.applyApp(`127.0.0.1:${serverPort}`);
  const leafUrl = `nats-leaf://${fleet.network.address}:${leafPort}`;
  const regions = [await Region.start(fleet, "eu", leafUrl, folder), await Region.start(fleet, "us", leafUrl, folder)];
  const [eu, us] = regions as [Region, Region];
  for (const region of regions) ending.push(() => region.stop());
  const [euNode, usNode, euNew] = [eu.node("eu-1"), us.node("us-1"), eu.node("eu-2")];
  for (const node of [euNode, usNode, euNew]) ending.push(() => node.kill());
  await Promise.all([euNode.start(), usNode.start()]);
  for (const region of regions) await until(`${region.name} routes`, () => region.routes());

  await fleet.network.cut(eu.host);
  const mendAtMs = performance.now() + cutMs;
  const weigh = async (weight: number): Promise<void> =>
    fleet.apply(`- server: {name: farms/app/servers/a, address: "127.0.0.1:${serverPort}", weight: ${weight}}`);
  for (const weight of [2, 3, 4, 5]) await weigh(weight);
  expect(await eu.routes()).toBe(true);
  // Killed, and back from what it kept.
  await euNode.kill();
  await euNode.start();
  expect(await eu.routes()).toBe(true);
  // A node that was never there before starts from the region's mirrors.
  await euNode.kill();
  await euNew.start();
  await until("a new node in the region that is cut off routes", () => eu.routes());
  await until("the other region goes on", async () => (await seenAt(fleet, "us-1")) === 5);
  await until("the end of the cut", async () => performance.now() > mendAtMs);
  expect(await eu.routes()).toBe(true);

  await fleet.network.mend(eu.host);
  await until("the region has caught up", async () => (await seenAt(fleet, "eu-2")) === 5);
  const seen = await fleet.nodesSeen();
  const current = seen.filter(
    ({ digestMatch, connected }) => connected === true && digestMatch === "DIGEST_MATCH_EQUAL",
  );
  expect(current.map(({ name }) => name).toSorted()).toEqual(["nodes/eu-2", "nodes/us-1"]);
}, 240_000);

test(`a region behind a slow link that loses ${lostPercent}% of its packets follows every commit`, async () => {
  const folder = mkdtempSync(join(tmpdir(), "switchyard-regions-"));
  ending.push(async () => rmSync(folder, { recursive: true, force: true }));
  const [leafPort] = (await freePorts(1)) as [number];
  const fleet = await RealFleet.start({ replicas: 1, nodes: 0, hubLeafPort: leafPort });
  ending.push(() => fleet.stop());
  const link = await SlowLink.open({ host: fleet.network.address, port: leafPort }, slowMs);
  ending.push(() => link.close());
  await fleet.applyApp(`127.0.0.1:${serverPort}`);
  const region = await Region.start(fleet, "eu", `nats-leaf://${fleet.network.address}:${link.port}`, folder);
  ending.push(() => region.stop());
  const node = region.node("eu-1");
  ending.push(() => node.kill());
  await node.start();
  await fleet.network.lose(region.host, lostPercent);
  const commits = new CommitStream(fleet, { name: "farms/app/servers/a", address: `127.0.0.1:${serverPort}` });
  await until("200 commits", async () => commits.acknowledged.length >= 200);
  await commits.stop();
  await until("a node that has them all", async () => (await seenAt(fleet, "eu-1")) === commits.lastRevision, 120_000);
  const [seen] = await fleet.nodesSeen();
  expect(seen).toMatchObject({ digestMatch: "DIGEST_MATCH_EQUAL", connected: true });
  expect(await region.routes()).toBe(true);
}, 240_000);

async function seenAt(fleet: RealFleet, id: string): Promise<number | undefined> {
  const node = (await fleet.nodesSeen()).find(({ name, connected }) => name === `nodes/${id}` && connected === true);
  return node?.revision === undefined ? undefined : Number(node.revision);
}
