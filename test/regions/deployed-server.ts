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

/** A nats-server with a file of `deploy/nats`, of which only addresses and the store are changed. */
export interface DeployedServer {
  readonly port: number;
  /** For regions to connect to; only a hub has one. */
  readonly leafPort: number;
  /** As the control plane's user, and as the node `edge-1`. */
  readonly controlUrl: string;
  readonly nodeUrl: string;
  /** What the server has printed. */
  output(): string;
  start(): Promise<void>;
  kill(): Promise<void>;
  dispose(): Promise<void>;
}

export async function startDeployed(
  file: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<DeployedServer> {
  const directory = mkdtempSync(join(tmpdir(), "switchyard-deployed-"));
  const [port, leafPort, routePort] = [await freePort(), await freePort(), await freePort()];
  for (const name of readdirSync(deployed)) {
    const text = readFileSync(new URL(name, deployed), "utf8")
      .replaceAll("0.0.0.0:4222", `127.0.0.1:${port}`)
      // A region that was told the hub's own address would go round the link that a test cuts.
      .replaceAll(`"0.0.0.0:7422"`, `"127.0.0.1:${leafPort}"\n  advertise: "127.0.0.1:1"`)
      .replaceAll("0.0.0.0:6222", `127.0.0.1:${routePort}`)
      .replaceAll("/var/lib/nats", join(directory, "store"));
    writeFileSync(join(directory, name), text);
  }
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
    while (!output.slice(from).includes("Server is ready") || !(await takesClients(port))) {
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
    controlUrl: `nats://switchyard:control@127.0.0.1:${port}`,
    nodeUrl: `nats://edge-1:edge@127.0.0.1:${port}`,
    output: () => output,
    start,
    kill,
    dispose: async () => {
      await kill();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function takesClients(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("error", () => resolve(false));
    socket.once("data", () => {
      socket.destroy();
      resolve(true);
    });
  });
}
