import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runTool, type ToolRun } from "../support/run-tool.ts";
import { waitFor } from "../support/wait-for.ts";

/** The checkout. */
export const checkout = fileURLToPath(new URL("../..", import.meta.url));

const command = join(checkout, "cli/switchyard.mjs");

/** One process of the built command. */
export class RunningSwitchyard {
  stdout = "";
  stderr = "";
  readonly #child: ChildProcess;

  /** `prefix` is a command line that runs the rest of its words, as `ip netns exec` does. */
  constructor(
    words: readonly string[],
    cwd = checkout,
    environment: Readonly<Record<string, string>> = {},
    prefix: readonly string[] = [],
  ) {
    const env = { ...process.env, ...environment };
    const [program, ...rest] = [...prefix, process.execPath, command, ...words] as [string, ...string[]];
    this.#child = spawn(program, rest, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    this.#child.stdout?.on("data", (chunk: Buffer) => (this.stdout += chunk.toString()));
    this.#child.stderr?.on("data", (chunk: Buffer) => (this.stderr += chunk.toString()));
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /** The first group of the pattern in what it printed; fails when it ends without having printed that. */
  async printed(pattern: RegExp): Promise<string> {
    const match = await waitFor(`${String(pattern)} on standard output`, () => {
      if (this.#child.exitCode !== null) throw new Error(`it ended with ${this.#child.exitCode}: ${this.stderr}`);
      return pattern.exec(this.stdout);
    });
    return match[1] ?? match[0];
  }

  /** Sends a signal and waits for the end. */
  async end(signal: NodeJS.Signals = "SIGINT"): Promise<number | null> {
    this.#child.kill(signal);
    return this.ended();
  }

  async ended(): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, "exit");
    return this.#child.exitCode;
  }
}

/** `switchyard up` on ports of its own and a folder of its own, and the command line against it. */
export class TestInstance {
  readonly folder: string;
  readonly adminPort: number;
  readonly opsPort: number;
  readonly process: RunningSwitchyard;

  private constructor(folder: string, process: RunningSwitchyard, adminPort: number, opsPort: number) {
    this.folder = folder;
    this.process = process;
    this.adminPort = adminPort;
    this.opsPort = opsPort;
  }

  static async start(...words: string[]): Promise<TestInstance> {
    const folder = mkdtempSync(join(tmpdir(), "switchyard-e2e-"));
    const anyPort = ["--admin-address", "127.0.0.1:0", "--http-address", "127.0.0.1:0"];
    const process = new RunningSwitchyard(["up", "--data-dir", join(folder, "data"), ...anyPort, ...words], folder);
    const adminPort = Number(await process.printed(/admin API \(gRPC\) +127\.0\.0\.1:(\d+)/));
    const opsPort = Number(await process.printed(/http:\/\/127\.0\.0\.1:(\d+)/));
    return new TestInstance(folder, process, adminPort, opsPort);
  }

  get admin(): string {
    return `127.0.0.1:${this.adminPort}`;
  }

  /** One command line. */
  cli(words: readonly string[], input = ""): Promise<ToolRun> {
    return runTool(process.execPath, [command, ...words, "--server", this.admin], "nodejs", input);
  }

  /** Applies YAML, and waits until the node serves it. */
  async apply(yaml: string): Promise<void> {
    const run = await this.cli(["apply", "-f", "-"], yaml);
    if (run.exitCode !== 0) throw new Error(run.stderr);
    await this.settled();
  }

  /** Resolves when the node has applied the log's last revision, and its listeners are bound. */
  async settled(): Promise<void> {
    let current = false;
    let answered = true;
    await waitFor("a node that serves the last revision", () => {
      if (answered && !current) {
        answered = false;
        void this.#current().then((is) => {
          current = is;
          answered = true;
        });
      }
      return current;
    });
  }

  async #current(): Promise<boolean> {
    const text = await (await fetch(`http://127.0.0.1:${this.opsPort}/metrics`)).text();
    const value = (name: string): number => Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)?.[1]);
    const [log, node] = [value("switchyard_controlplane_revision"), value("switchyard_node_revision")];
    return log === node && value("switchyard_node_ready") === 1;
  }

  async stop(): Promise<void> {
    await this.process.end();
    rmSync(this.folder, { recursive: true });
  }
}

/** Ports that were free a moment ago; all different. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, "127.0.0.1");
      await once(server, "listening");
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => once(server.close(), "close")));
  return ports;
}
