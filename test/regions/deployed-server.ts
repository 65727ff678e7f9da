import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../support/free-port.ts";

const deployed = new URL("../../deploy/nats/", import.meta.url);
const readyWithinMs = 20_000;

/** What the files of `deploy/nats` take from the environment. */
const secrets = {
  SWITCHYARD_NATS_PASSWORD: "control",
  SWITCHYARD_EDGE_1_PASSWORD: "edge",
  SWITCHYARD_LEAF_PASSWORD: "leaf",
  SWITCHYARD_ROUTE_PASSWORD: "route",
};

/** A node that has a user of its own. */
export interface DeployedNode {
  readonly id: string;
  readonly region: string;
}

export interface DeployedOptions {
  /** Where it takes clients and leaf servers: loopback unless given. */
  readonly host?: string;
  /** Beside `edge-1`, whose lines and file of permissions are copied for each, as `node-permissions.conf` says. */
  readonly nodes?: readonly DeployedNode[];
}

/** A nats-server with a file of `deploy/nats`, of which only addresses and the store are changed. */
export interface DeployedServer {
  readonly port: number;
  /** For regions to connect to; only a hub has one. */
  readonly leafPort: number;
  /** As the control plane's user, and as the node `edge-1`. */
  readonly controlUrl: string;
  readonly nodeUrl: string;
  /** As one of {@link DeployedOptions.nodes}. */
  urlOf(nodeId: string): string;
  /** What the server has printed. */
  output(): string;
  start(): Promise<void>;
  kill(): Promise<void>;
  dispose(): Promise<void>;
}

export async function startDeployed(
  file: string,
  environment: Readonly<Record<string, string>> = {},
  { host = "127.0.0.1", nodes = [] }: DeployedOptions = {},
): Promise<DeployedServer> {
  const directory = mkdtempSync(join(tmpdir(), "switchyard-deployed-"));
  const [port, leafPort, routePort] = [await freePort(), await freePort(), await freePort()];
  for (const name of readdirSync(deployed)) {
    const text = readFileSync(new URL(name, deployed), "utf8")
      .replaceAll("0.0.0.0:4222", `${host}:${port}`)
      // A region that was told the hub's own address would go round the link that a test cuts.
      .replaceAll(`"0.0.0.0:7422"`, `"${host}:${leafPort}"\n  advertise: "127.0.0.1:1"`)
      .replaceAll("0.0.0.0:6222", `127.0.0.1:${routePort}`)
      .replaceAll("/var/lib/nats", join(directory, "store"));
    writeFileSync(join(directory, name), name === "users.conf" ? withUsers(text, nodes) : text);
  }
  for (const node of nodes) writeFileSync(join(directory, permissionsFileOf(node)), permissionsOf(node));
  mkdirSync(join(directory, "store"));
  let child: ChildProcess | undefined;
  let output = "";

  const start = async (): Promise<void> => {
    const from = output.length;
    let failed: Error | undefined;
    const started = spawn("nats-server", ["-c", join(directory, file)], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...secrets, ...environment },
    });
    started.on("error", () => (failed = new Error("nats-server is missing: apt-get install nats-server")));
    for (const stream of [started.stdout, started.stderr])
      stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child = started;
    const endMs = performance.now() + readyWithinMs;
    while (!output.slice(from).includes("Server is ready") || !(await takesClients(host, port))) {
      if (failed !== undefined) throw failed;
      if (started.exitCode !== null || performance.now() > endMs) throw new Error(`not ready:\n${output.slice(from)}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };

  const kill = async (): Promise<void> => {
    const running = child;
    child = undefined;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const ended = new Promise((resolve) => running.once("close", resolve));
    running.kill("SIGKILL");
    await ended;
  };

  await start();
  return {
    port,
    leafPort,
    controlUrl: `nats://switchyard:control@${host}:${port}`,
    nodeUrl: `nats://edge-1:edge@${host}:${port}`,
    urlOf: (nodeId) => `nats://${nodeId}:edge@${host}:${port}`,
    output: () => output,
    start,
    kill,
    dispose: async () => {
      await kill();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

const permissionsFile = "node-permissions.conf";

/** The user of `edge-1`, once more for each node. */
function withUsers(text: string, nodes: readonly DeployedNode[]): string {
  const line = /^.*user: edge-1.*$/m.exec(text)?.[0];
  if (line === undefined) throw new Error("users.conf has no user edge-1");
  const lines = nodes.map((node) => {
    return line.replace("user: edge-1", `user: ${node.id}`).replace(permissionsFile, permissionsFileOf(node));
  });
  return text.replace(line, [line, ...lines].join("\n"));
}

function permissionsFileOf({ id }: DeployedNode): string {
  return `node-permissions-${id}.conf`;
}

function permissionsOf({ id, region }: DeployedNode): string {
  const text = readFileSync(new URL(permissionsFile, deployed), "utf8");
  return text.replaceAll("edge-1", id).replaceAll(".learnt.eu.", `.learnt.${region}.`);
}

async function takesClients(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    socket.once("error", () => resolve(false));
    socket.once("data", () => {
      socket.destroy();
      resolve(true);
    });
  });
}
