import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { credentials } from "@grpc/grpc-js";
import { type FarmStatus, FleetServiceClient } from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { checkout } from "../e2e/running-switchyard.ts";
import { serverPorts } from "./server-ports.ts";
import { FleetProcess } from "../fleet/fleet-process.ts";
import { until } from "../fleet/real-fleet.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";
import { runTool } from "../support/run-tool.ts";
import { type NetworkHost, TestNetwork } from "../support/test-network.ts";
import type { Edge } from "./returning-client.ts";
import { serverNameOf, type TlsFarm } from "./tls-farm.ts";

const edgePort = 8443;
const opsPort = 7781;
const command = join(checkout, "cli/switchyard.mjs");

interface EdgeNode {
  readonly process: FleetProcess;
  readonly host: NetworkHost;
}

/**
 * A control plane and two nodes of one region, real processes, with NATS or without. Each node is a host of its own in the
 * test's network; servers listen on {@link AffinityFleet.address}.
 */
export class AffinityFleet {
  readonly nodes: EdgeNode[] = [];
  readonly #folder = mkdtempSync(join(tmpdir(), "switchyard-affinity-fleet-"));
  readonly #network: TestNetwork;
  readonly #nats: NatsServer | undefined;
  readonly #control: FleetProcess;
  readonly #admin: string;
  readonly #client: FleetServiceClient;

  private constructor(network: TestNetwork, nats: NatsServer | undefined, admin: string, opsOfControl: number) {
    this.#network = network;
    this.#nats = nats;
    this.#admin = admin;
    this.#client = new FleetServiceClient(admin, credentials.createInsecure());
    const where = ["--data-dir", join(this.#folder, "control"), "--admin-address", admin, "--allow-insecure-bind"];
    const log = nats === undefined ? [] : ["--nats", nats.url, "--replica-id", "cp1"];
    const words = ["controlplane", ...where, ...log, "--http-address", `127.0.0.1:${opsOfControl}`];
    this.#control = new FleetProcess("cp1", words, /control plane at revision \d+/);
  }

  static async start(how: "with NATS" | "without NATS"): Promise<AffinityFleet> {
    const network = await TestNetwork.make();
    const nats = how === "with NATS" ? await startNatsServer({ host: network.address }) : undefined;
    const [admin, ops] = (await serverPorts(2)) as [number, number];
    const fleet = new AffinityFleet(network, nats, `${network.address}:${admin}`, ops);
    try {
      await fleet.#start();
    } catch (error) {
      await fleet.stop();
      throw error;
    }
    return fleet;
  }

  async #start(): Promise<void> {
    const nats = this.#nats === undefined ? [] : ["--nats", this.#nats.url];
    if (this.#nats !== undefined) await run(["init", "nats", ...nats, "--replicas", "1"]);
    await this.#control.start();
    for (const id of ["n1", "n2"]) {
      const host = await this.#network.host(id);
      const where = [...nats, "--control", this.#admin, "--state-dir", join(this.#folder, id)];
      const identity = ["--id", id, "--region", "eu", "--http-address", `0.0.0.0:${opsPort}`, "--allow-insecure-bind"];
      const words = ["node", ...where, ...identity];
      const process = new FleetProcess(id, words, /node \S+ at revision \d+/, { prefix: host.prefix });
      this.nodes.push({ process, host });
    }
    await Promise.all(this.nodes.map(({ process }) => process.start()));
  }

  /** Where servers must listen to be reached by the nodes. */
  get address(): string {
    return this.#network.address;
  }

  get edges(): readonly Edge[] {
    return this.nodes.map(({ host }) => ({ host: host.address, port: edgePort }));
  }

  /** Serves the farms by their names, and waits until both nodes do. `policy` is YAML in a farm's braces. */
  async serve(farms: readonly (readonly [farm: TlsFarm, policy: string, serverPolicy?: string])[]): Promise<void> {
    const parts = farms.map(([farm, policy, serverPolicy = ""]) => {
      const servers = farm.servers.map(({ id, address }) => {
        return `- server: {name: farms/${farm.name}/servers/${id}, address: "${address}"${serverPolicy}}\n`;
      });
      return `- farm: {name: farms/${farm.name}${policy}}
${servers.join("")}- route:
    name: listeners/edge/routes/${farm.name}
    match: {serverNames: [${serverNameOf(farm)}]}
    action: {farm: farms/${farm.name}}
`;
    });
    const edge = `- listener: {name: listeners/edge, addresses: ["0.0.0.0:${edgePort}"]}\n`;
    const { stdout } = await run(["apply", "-q", "-f", "-", "--server", this.#admin], `${edge}${parts.join("")}`);
    await this.#serves(Number(/at revision (\d+)/.exec(stdout)?.[1]));
  }

  /** Resolves when both nodes have told of a farm that they know so many names of ticket keys, or more. */
  async knowsTicketNames(farm: TlsFarm, names: number): Promise<void> {
    await until(`${names} ticket names of ${farm.name} at both nodes`, async () => {
      const found = await this.affinityOf(farm);
      const nodes = new Set(found.flatMap((finding) => finding.nodes));
      return nodes.size === this.nodes.length && found.every(({ affinity }) => Number(affinity?.ticketNames) >= names);
    });
  }

  /** Resolves when both nodes have checked each server of a farm: the first failed check marks one down, a later one does not. */
  async hasChecked(farm: TlsFarm): Promise<void> {
    const seen = (id: string): string =>
      `switchyard_node_server_certificate_expiry_seconds{server="farms/${farm.name}/servers/${id}"}`;
    for (const { host } of this.nodes)
      await until(`a check of each server of ${farm.name} by ${host.address}`, async () => {
        const text = await metrics(host);
        return farm.servers.every(({ id }) => text.includes(seen(id)));
      });
  }

  /** Resolves when both nodes, as they run now, know something of a farm's sessions. */
  async knowsSessions(farm: TlsFarm): Promise<void> {
    await until(`what both nodes know of ${farm.name}`, async () => {
      const found = await this.affinityOf(farm);
      const nodes = new Set(found.flatMap((finding) => finding.nodes));
      return nodes.size === this.nodes.length && found.every(knowsSomething);
    });
  }

  /** What the nodes found of a farm's sessions. */
  async affinityOf(farm: TlsFarm): Promise<FarmStatus["affinity"]> {
    const request = { farm: `farms/${farm.name}`, pageSize: 1, pageToken: "" };
    const farms = await new Promise<readonly FarmStatus[]>((resolve, reject) => {
      this.#client.listFarms(request, (error, answer) => (error === null ? resolve(answer.farms) : reject(error)));
    });
    return farms[0]?.affinity ?? [];
  }

  async stop(): Promise<void> {
    this.#client.close();
    for (const { process } of this.nodes) await process.kill();
    await this.#control.kill();
    await this.#nats?.dispose();
    await this.#network.remove();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Resolves when both nodes serve a revision. */
  async #serves(revision: number): Promise<void> {
    for (const { host } of this.nodes)
      await until(`revision ${revision} at ${host.address}`, async () => {
        const at = await metric(host, "switchyard_node_revision");
        return at === revision && (await metric(host, "switchyard_node_ready")) === 1;
      });
  }
}

async function run(words: readonly string[], input = ""): ReturnType<typeof runTool> {
  const ended = await runTool(process.execPath, [command, ...words], "nodejs", input);
  if (ended.exitCode !== 0) throw new Error(`${words.slice(0, 2).join(" ")}: ${ended.stderr}`);
  return ended;
}

function knowsSomething({ affinity }: FarmStatus["affinity"][number]): boolean {
  return affinity !== undefined && affinity.ticketNames + affinity.sessionIds > 0n;
}

async function metric(host: NetworkHost, name: string): Promise<number | undefined> {
  const [, value] = new RegExp(`^${name} (\\S+)$`, "m").exec(await metrics(host)) ?? [];
  return value === undefined ? undefined : Number(value);
}

async function metrics({ address }: NetworkHost): Promise<string> {
  return (await fetch(`http://${address}:${opsPort}/metrics`)).text();
}
