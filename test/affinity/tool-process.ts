import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { type SocketAddress, splitSocketAddress } from "../../model/address.ts";
import { waitFor } from "../support/wait-for.ts";

/** A program that runs beside a test until the test ends it. */
export class ToolProcess {
  /** What it printed, on both streams. */
  output = "";
  readonly #child: ChildProcess;
  #failed: Error | undefined;

  /** Where the program is missing, the test fails and says which Debian package has it. */
  constructor(program: string, words: readonly string[], debianPackage: string) {
    this.#child = spawn(program, words, { stdio: ["pipe", "pipe", "pipe"] });
    const collect = (chunk: Buffer): void => void (this.output += chunk.toString());
    this.#child.stdout?.on("data", collect);
    this.#child.stderr?.on("data", collect);
    this.#child.stdin?.on("error", () => undefined);
    this.#child.on("error", (error: NodeJS.ErrnoException) => {
      const missing = new Error(`${program} is missing: apt-get install -y ${debianPackage}`, { cause: error });
      this.#failed = error.code === "ENOENT" ? missing : error;
    });
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** The first group of the pattern in what it printed; fails when it ends without having printed that. */
  async printed(pattern: RegExp): Promise<string> {
    const match = await waitFor(`${String(pattern)} in the output`, () => {
      this.#mustRun();
      return pattern.exec(this.output);
    });
    return match[1] ?? match[0];
  }

  /** Resolves when it takes connections there. */
  async takes(address: SocketAddress): Promise<void> {
    let takes: boolean | undefined = false;
    await waitFor(`a server on ${address}`, () => {
      this.#mustRun();
      if (takes === false) {
        takes = undefined;
        void canConnect(address).then((can) => (takes = can));
      }
      return takes;
    });
  }

  /** Ends it, and waits for its end. */
  async end(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    if (this.#failed !== undefined || this.#child.pid === undefined) return;
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const closed = once(this.#child, "close");
    this.#child.kill(signal);
    await closed;
  }

  #mustRun(): void {
    if (this.#failed !== undefined) throw this.#failed;
    if (this.#child.exitCode !== null) throw new Error(`it ended with ${this.#child.exitCode}: ${this.output}`);
  }
}

async function canConnect(address: SocketAddress): Promise<boolean> {
  const socket = connect(splitSocketAddress(address));
  return new Promise((resolve) => {
    socket.once("error", () => resolve(false));
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
  });
}
