import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigServiceClient } from "../../proto/gen/switchyard/config/v1/config_service.ts";
import { checkout, freePorts } from "../e2e/running-switchyard.ts";
import { type NatsServer, startNatsCluster, startNatsServer } from "../support/nats-server.ts";
import { runTool, type ToolRun } from "../support/run-tool.ts";
import { type NetworkHost, TestNetwork } from "../support/test-network.ts";
import { waitFor } from "../support/wait-for.ts";
import { credentials } from "@grpc/grpc-js";
import { FleetProcess } from "./fleet-process.ts";

const command = join(checkout, "cli/switchyard.mjs");

export interface RealNode {
  readonly process: FleetProcess;
  readonly host: NetworkHost;
}

export interface NodeSetting {
  /** Default `eu`. */
  readonly region?: string;
  readonly labels?: readonly string[];
  /** The only server that it knows: default the control plane's. */
  readonly natsUrl?: string;
}

export interface RealReplica {
  readonly process: FleetProcess;
  /** `10.64.0.1:port` of the admin API. */
  readonly address: string;
}

export interface RealFleetOptions {
  /** Servers of NATS, in one cluster where there are several. Default 1. */
  readonly servers?: 1 | 3;
  /** The only server is a hub: leaf servers of regions connect to this port. */
  readonly hubLeafPort?: number;
  /** Of a server that is the test's own, in place of any that is started here: the control plane's user. */
  readonly natsUrl?: string;
  readonly replicas: number;
  readonly nodes: number;
}

/** Where each node listens, on all addresses of its host. */
export const edgePort = 8443;

/** Where each node's /metrics are, on all addresses of its host. */
const opsPort = 7781;

/**
 * A fleet of real processes: nats-server, control-plane replicas, nodes. Each node is a host of its own in the test's
 * network, so that all may bind the same port; the rest runs on the near side of the network's bridge.
 */
export class RealFleet {
  readonly folder = mkdtempSync(join(tmpdir(), "switchyard-fleet-"));
  readonly network: TestNetwork;
  readonly servers: readonly NatsServer[];
  readonly replicas: RealReplica[] = [];
  readonly nodes: RealNode[] = [];

  /** What the processes are given for `--nats`. */
  readonly natsUrl: string;

  private constructor(network: TestNetwork, servers: readonly NatsServer[], natsUrl: string | undefined) {
    this.network = network;
    this.servers = servers;
    this.natsUrl = natsUrl ?? servers.map(({ url }) => url).join(",");
  }

  /** The only server, or the first. */
  get nats(): NatsServer {
    return this.servers[0] as NatsServer;
  }

  static async start({
    servers: count = 1,
    replicas,
    nodes,
    hubLeafPort,
    natsUrl,
  }: RealFleetOptions): Promise<RealFleet> {
    const network = await TestNetwork.make();
    const host = network.address;
    // A leaf server that were told the hub's own address would go round a link that stands between them.
    const config = `server_name: hub\nleafnodes { listen: "${host}:${hubLeafPort}", advertise: "127.0.0.1:1" }`;
    const hub = hubLeafPort === undefined ? {} : { domain: "hub", config };
    const start = async (): Promise<readonly NatsServer[]> =>
      count === 1 ? [await startNatsServer({ host, ...hub })] : startNatsCluster(count, host);
    const fleet = new RealFleet(network, natsUrl === undefined ? await start() : [], natsUrl);
    try {
      await fleet.#start(replicas, nodes);
    } catch (error) {
      await fleet.stop();
      throw error;
    }
    return fleet;
  }

  async #start(replicas: number, nodes: number): Promise<void> {
    const copies = String(Math.max(1, this.servers.length));
    const made = await this.run(["init", "nats", "--nats", this.natsUrl, "--replicas", copies]);
    if (made.exitCode !== 0) throw new Error(`init nats: ${made.stderr}`);
    for (let index = 1; index <= replicas; index += 1) await this.addReplica(`cp${index}`);
    await Promise.all(this.replicas.map(({ process }) => process.start()));
    for (let index = 1; index <= nodes; index += 1) await this.addNode(`n${index}`);
    await Promise.all(this.nodes.map(({ process }) => process.start()));
  }

  async addReplica(id: string): Promise<RealReplica> {
    const [admin, ops] = (await freePorts(2)) as [number, number];
    const address = `${this.network.address}:${admin}`;
    const where = ["--data-dir", join(this.folder, id), "--nats", this.natsUrl, "--replica-id", id];
    const ports = ["--admin-address", address, "--http-address", `127.0.0.1:${ops}`, "--allow-insecure-bind"];
    const process = new FleetProcess(id, ["controlplane", ...where, ...ports], /control plane at revision \d+/);
    const replica = { process, address };
    this.replicas.push(replica);
    return replica;
  }

  /** With more environment, or another identity, where a test wants it. Not started yet. */
  async addNode(
    id: string,
    environment: Readonly<Record<string, string>> = {},
    { region = "eu", labels = [], natsUrl = this.natsUrl }: NodeSetting = {},
  ): Promise<RealNode> {
    const host = await this.network.host(id);
    const controls = this.replicas.flatMap(({ address }) => ["--control", address]);
    const where = ["--nats", natsUrl, "--state-dir", join(this.folder, id)];
    const identity = ["--id", id, "--region", region, ...labels.flatMap((label) => ["--label", label])];
    const ops = ["--http-address", `0.0.0.0:${opsPort}`, "--allow-insecure-bind"];
    const line = ["node", ...where, ...controls, ...identity, ...ops];
    const around = { environment, prefix: host.prefix };
    const node = { process: new FleetProcess(id, line, /node \S+ at revision \d+/, around), host };
    this.nodes.push(node);
    return node;
  }

  /** One command line, against the first replica unless another is named in the words. */
  run(words: readonly string[], input = ""): Promise<ToolRun> {
    const server = this.replicas[0]?.address;
    const to = server === undefined || words.includes("--server") ? [] : ["--server", server];
    return runTool(process.execPath, [command, ...words, ...to], "nodejs", input);
  }

  /** Applies a farm with one server behind a listener on {@link edgePort}: the name `app.test` leads there. */
  async applyApp(serverAddress: string): Promise<void> {
    await this.apply(`
- farm: {name: farms/app}
- server: {name: farms/app/servers/a, address: "${serverAddress}"}
- listener: {name: listeners/edge, addresses: ["0.0.0.0:${edgePort}"]}
- route: {name: listeners/edge/routes/app, match: {serverNames: [app.test]}, action: {farm: farms/app}}
`);
  }

  /** Applies YAML by the first replica. */
  async apply(yaml: string): Promise<void> {
    const run = await this.run(["apply", "-f", "-"], yaml);
    if (run.exitCode !== 0) throw new Error(run.stderr);
  }

  /** A client of a replica's API. To be closed by the caller. */
  client(replica: RealReplica): ConfigServiceClient {
    return new ConfigServiceClient(replica.address, credentials.createInsecure(), {
      "grpc.initial_reconnect_backoff_ms": 50,
      "grpc.max_reconnect_backoff_ms": 200,
    });
  }

  /** The nodes as a replica sees them: what `get nodes -o json` says. */
  async nodesSeen(): Promise<readonly SeenNode[]> {
    const run = await this.run(["get", "nodes", "-o", "json"]);
    if (run.exitCode !== 0) return [];
    const parsed = JSON.parse(run.stdout) as { readonly nodes?: readonly SeenNode[] } | readonly SeenNode[];
    return "nodes" in parsed ? (parsed.nodes ?? []) : (parsed as readonly SeenNode[]);
  }

  /** The history as a replica has it: revisions by request id. Fails where a request id was committed twice. */
  async committed(replica: RealReplica | undefined = this.replicas[0]): Promise<ReadonlyMap<string, number>> {
    const run = await this.run(["history", "-n", "1000000", "-o", "json", "--server", replica?.address ?? ""]);
    if (run.exitCode !== 0) throw new Error(run.stderr);
    const lines = run.stdout.trim().split("\n");
    const commits = lines.map((line) => JSON.parse(line) as { readonly requestId: string; readonly revision: string });
    const revisions = new Map(commits.map(({ requestId, revision }) => [requestId, Number(revision)]));
    if (revisions.size !== commits.length) throw new Error(`${commits.length - revisions.size} commits are doubled`);
    return revisions;
  }

  /** A node's own number: `switchyard_node_revision` and the like. Undefined while it does not answer. */
  async metric(node: RealNode, name: string): Promise<number | undefined> {
    try {
      const text = await (await fetch(`http://${node.host.address}:${opsPort}/metrics`)).text();
      const [, value] = new RegExp(`^${name} (\\S+)$`, "m").exec(text) ?? [];
      return value === undefined ? undefined : Number(value);
    } catch {
      // Not up, or on its way down: the same as no answer.
      return undefined;
    }
  }

  /** Resolves when every node serves the revision or a later one, and is ready. */
  async allAt(revision: number, nodes: readonly RealNode[] = this.nodes): Promise<void> {
    for (const node of nodes)
      await until(`${node.process.id} at revision ${revision}`, async () => {
        const at = await this.metric(node, "switchyard_node_revision");
        return at !== undefined && at >= revision && (await this.metric(node, "switchyard_node_ready")) === 1;
      });
  }

  /** Resolves when the fleet's view has every node connected, at the head, with the log's digest. */
  async allEqual(): Promise<void> {
    await until("every node connected, current and with an equal digest", async () => {
      const seen = await this.nodesSeen();
      return seen.length === this.nodes.length && seen.every(isCurrent);
    });
  }

  async stop(): Promise<void> {
    for (const { process } of [...this.nodes, ...this.replicas]) await process.kill();
    for (const server of this.servers) await server.dispose();
    await this.network.remove();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The part of `get nodes -o json` that tests look at. */
export interface SeenNode {
  readonly name: string;
  readonly revision?: string;
  readonly lag?: string;
  readonly digestMatch?: string;
  readonly connected?: boolean;
  readonly degraded?: readonly { readonly name: string; readonly reason: string; readonly detail?: string }[];
}

function isCurrent({ connected, lag, digestMatch }: SeenNode): boolean {
  return connected === true && (lag === undefined || lag === "0") && digestMatch === "DIGEST_MATCH_EQUAL";
}

/** Asks again and again, one question at a time, until the answer is yes. */
export async function until(what: string, holds: () => Promise<boolean>, timeoutMs = 60_000): Promise<void> {
  let answer: boolean | Error | undefined = false;
  await waitFor(
    what,
    () => {
      if (answer instanceof Error) throw answer;
      if (answer === true) return true;
      if (answer === false) {
        answer = undefined;
        holds().then(
          (is) => (answer = is),
          (error: unknown) => (answer = error instanceof Error ? error : new Error(String(error))),
        );
      }
      return false;
    },
    timeoutMs,
  );
}
