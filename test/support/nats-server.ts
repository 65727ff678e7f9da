import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";

/** A test that waits longer than this for a server to be ready has hung. */
const readyWithinMs = 20_000;

export interface NatsServerOptions {
  /** More of the server's configuration file, as text. */
  readonly config?: string;
  /** Where it listens: loopback unless given. */
  readonly host?: string;
  /** JetStream's domain, for hubs and leaf servers. */
  readonly domain?: string;
  /** A command line that it is run by, as `ip netns exec` does. */
  readonly prefix?: readonly string[];
  /** The name of the server in its cluster. */
  readonly name?: string;
  /** The port for routes, and the routes of the cluster; see {@link startNatsCluster}. */
  readonly cluster?: { readonly port: number; readonly routePorts: readonly number[] };
}

/**
 * A real nats-server with JetStream, on a free port of loopback and with a store directory of its own. The port and the
 * directory stay the same when it is killed and started again.
 */
export interface NatsServer {
  readonly url: string;
  readonly port: number;
  /** JetStream's files: `jetstream/$G/streams/<STREAM>/msgs/*.blk` lie below it. */
  readonly storeDirectory: string;
  readonly pid: number | undefined;
  /** What the server has printed since it was first started. */
  output(): string;
  /** Ends the process and waits for its end. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again, on the same store and port; resolves when clients are taken and JetStream answers. */
  start(): Promise<void>;
  /** The same without the wait: for a server that may not come up. */
  startUnready(): void;
  /** Removes all that is stored; only while the server is down. */
  wipeStore(): void;
  /** Copies the store as it is now; only while the server is down. Returns the way to put the copy back. */
  saveStore(): () => void;
  /** Kills the server and removes its files. */
  dispose(): Promise<void>;
}

/** Starts one server and waits until it is ready. Fails with the package to install where there is no nats-server. */
export async function startNatsServer(options: NatsServerOptions = {}): Promise<NatsServer> {
  const server = await newNatsServer(options);
  await server.start();
  return server;
}

/** Three servers (or as many as asked for) in one cluster, each with a store of its own. */
export async function startNatsCluster(count = 3, host = "127.0.0.1"): Promise<readonly NatsServer[]> {
  const routePorts = await Promise.all(Array.from({ length: count }, freePort));
  const servers = await Promise.all(
    routePorts.map((port, index) => newNatsServer({ host, name: `n${index + 1}`, cluster: { port, routePorts } })),
  );
  await Promise.all(servers.map((server) => server.start()));
  return servers;
}

async function newNatsServer(options: NatsServerOptions): Promise<NatsServer> {
  const directory = mkdtempSync(join(tmpdir(), "switchyard-nats-"));
  const host = options.host ?? "127.0.0.1";
  const port = await freePort();
  const storeDirectory = join(directory, "store");
  const configPath = join(directory, "nats.conf");
  writeFileSync(configPath, configText(port, storeDirectory, options));
  let output = "";
  let child: ChildProcess | undefined;
  let failed: Error | undefined;

  const startUnready = (): void => {
    mkdirSync(storeDirectory, { recursive: true });
    failed = undefined;
    const [program, words] = commandLine(configPath, options.prefix);
    const started = spawn(program, words, { stdio: ["ignore", "pipe", "pipe"] });
    const collect = (chunk: Buffer): void => void (output += chunk.toString());
    started.stdout.on("data", collect);
    started.stderr.on("data", collect);
    started.on("error", (error: NodeJS.ErrnoException) => {
      failed = error.code === "ENOENT" ? new Error("nats-server is missing: apt-get install nats-server") : error;
    });
    child = started;
  };

  const start = async (): Promise<void> => {
    const from = output.length;
    startUnready();
    const endMs = performance.now() + readyWithinMs;
    for (;;) {
      if (failed !== undefined) throw failed;
      if (child?.exitCode !== null)
        throw new Error(`nats-server ended with ${child?.exitCode}:\n${output.slice(from)}`);
      if (output.slice(from).includes("Server is ready") && (await takesClients(host, port))) return;
      if (performance.now() > endMs) throw new Error(`nats-server is not ready:\n${output.slice(from)}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };

  const kill = async (signal: NodeJS.Signals = "SIGKILL"): Promise<void> => {
    const running = child;
    child = undefined;
    if (running === undefined || running.pid === undefined) return;
    if (running.exitCode !== null || running.signalCode !== null) return;
    const ended = new Promise((resolve) => running.once("close", resolve));
    running.kill(signal);
    await ended;
  };

  return {
    url: `nats://${host}:${port}`,
    port,
    storeDirectory,
    get pid() {
      return child?.pid;
    },
    output: () => output,
    kill,
    start,
    startUnready,
    wipeStore: () => rmSync(storeDirectory, { recursive: true, force: true }),
    saveStore: () => {
      const saved = mkdtempSync(join(directory, "saved-"));
      cpSync(storeDirectory, saved, { recursive: true });
      return () => {
        rmSync(storeDirectory, { recursive: true, force: true });
        cpSync(saved, storeDirectory, { recursive: true });
      };
    },
    dispose: async () => {
      await kill();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function commandLine(configPath: string, [runner, ...words]: readonly string[] = []): [string, string[]] {
  const server = ["nats-server", "-c", configPath];
  return runner === undefined ? ["nats-server", server.slice(1)] : [runner, [...words, ...server]];
}

function configText(
  port: number,
  storeDirectory: string,
  { config, host = "127.0.0.1", domain, name, cluster }: NatsServerOptions,
): string {
  const inDomain = domain === undefined ? "" : `, domain: ${domain}`;
  const lines = [
    `listen: "${host}:${port}"`,
    `jetstream { store_dir: ${JSON.stringify(storeDirectory)}, max_mem: 16MB, max_file: 4GB${inDomain} }`,
  ];
  if (name !== undefined) lines.push(`server_name: ${name}`);
  if (cluster !== undefined) {
    const routes = cluster.routePorts.map((each) => `"nats://127.0.0.1:${each}"`).join(", ");
    lines.push(`cluster { name: test, listen: "127.0.0.1:${cluster.port}", routes: [${routes}] }`);
  }
  return `${[...lines, config ?? ""].join("\n")}\n`;
}

async function takesClients(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    socket.once("error", () => resolve(false));
    // The server speaks first (INFO).
    socket.once("data", () => {
      socket.destroy();
      resolve(true);
    });
  });
}
