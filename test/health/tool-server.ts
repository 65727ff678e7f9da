import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { joinSocketAddress, type SocketAddress } from "../../model/address.ts";
import { accepts, freePort } from "../support/free-port.ts";
import { waitFor } from "../support/wait-for.ts";

/** A server program of somebody else's, as Debian has it, on a port of loopback that was free. */
export class ToolServer {
  readonly address: SocketAddress;
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #directory: string;

  private constructor(port: number, child: ChildProcess, directory: string) {
    this.port = port;
    this.address = joinSocketAddress("127.0.0.1", port);
    this.#child = child;
    this.#directory = directory;
  }

  /**
   * Starts it and waits until it accepts connections. `files` are written to a directory of its own, in which it runs; they and
   * the arguments are made for the port.
   */
  static async start(options: {
    readonly command: string;
    readonly debianPackage: string;
    readonly args: (port: number) => readonly string[];
    readonly files?: (port: number) => Readonly<Record<string, string>>;
  }): Promise<ToolServer> {
    const port = await freePort();
    const directory = await mkdtemp(join(tmpdir(), "switchyard-tool-"));
    for (const [name, text] of Object.entries(options.files?.(port) ?? {}))
      await writeFile(join(directory, name), text);
    const child = spawn(options.command, options.args(port), { cwd: directory, stdio: ["ignore", "pipe", "pipe"] });
    const said: string[] = [];
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (text: Buffer) => said.push(text.toString()));
    let missing: Error | undefined;
    child.once("error", (cause) => {
      missing = new Error(`${options.command} is missing: apt-get install -y ${options.debianPackage}`, { cause });
    });
    const server = new ToolServer(port, child, directory);
    let connected = false;
    const look = async (): Promise<void> => {
      connected = await accepts(port);
    };
    await waitFor(`${options.command} to listen`, () => {
      if (missing !== undefined) throw missing;
      if (child.exitCode !== null) throw new Error(`${options.command} ended: ${said.join("")}`);
      void look();
      return connected;
    });
    return server;
  }

  signal(name: "SIGKILL" | "SIGSTOP" | "SIGCONT"): void {
    this.#child.kill(name);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, "exit");
      this.#child.kill("SIGKILL");
      await ended;
    }
    await rm(this.#directory, { recursive: true, force: true });
  }
}
