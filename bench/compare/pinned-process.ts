import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";

/** How a process of the bench is started. */
export interface ProcessStart {
  readonly command: string;
  readonly args: readonly string[];
  readonly cores: readonly number[];
  readonly cwd?: string;
}

const stderrCharactersMax = 4000;
const stopGraceMs = 3000;

/**
 * A child process pinned to cores, that speaks lines of JSON on its stdout. `taskset` becomes the command by exec, so
 * that {@link pid} is the command's own. The starter owns it, and ends it with {@link stop}.
 */
export class PinnedProcess {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #name: string;
  readonly #lines: unknown[] = [];
  readonly #waiting: Array<() => void> = [];
  #rest = "";
  #stderr = "";
  #ended = false;
  readonly ended: Promise<number>;

  constructor(start: ProcessStart) {
    this.#name = start.command.slice(start.command.lastIndexOf("/") + 1);
    const options = { stdio: ["pipe", "pipe", "pipe"] as ["pipe", "pipe", "pipe"] };
    this.#child = spawn("taskset", ["-c", start.cores.join(","), start.command, ...start.args], {
      ...options,
      ...(start.cwd === undefined ? {} : { cwd: start.cwd }),
    });
    this.#child.stdout.setEncoding("utf8").on("data", (text: string) => this.#take(text));
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-stderrCharactersMax);
    });
    // Writing to a process that has just ended is its end's affair, which `ended` tells.
    this.#child.stdin.on("error", () => undefined);
    this.ended = new Promise((resolve) => {
      this.#child.once("error", (error) => {
        this.#stderr += String(error);
        this.#finish();
        resolve(127);
      });
      this.#child.once("close", (code, signal) => {
        if (signal !== null) this.#stderr += ` (${signal})`;
        this.#finish();
        resolve(code ?? 128);
      });
    });
  }

  get pid(): number {
    const pid = this.#child.pid;
    if (pid === undefined) throw new Error(`${this.#name} did not start: ${this.#stderr.trim()}`);
    return pid;
  }

  get running(): boolean {
    return !this.#ended;
  }

  get stderr(): string {
    return this.#stderr.trim();
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() as string;
    for (const line of lines) if (line.startsWith("{")) this.#lines.push(JSON.parse(line));
    this.#wake();
  }

  #finish(): void {
    this.#ended = true;
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** The next line of JSON. Rejects where the process ends before it, or nothing comes within the time. */
  async nextLine(timeoutMs: number): Promise<Record<string, unknown>> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const line = this.#lines.shift();
      if (line !== undefined) return line as Record<string, unknown>;
      if (this.#ended) throw new Error(`${this.#name} ended: ${this.#stderr.trim() || "without a word"}`);
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) throw new Error(`${this.#name} said nothing for ${timeoutMs} ms`);
      await this.#lineOrEnd(leftMs);
    }
  }

  async #lineOrEnd(timeoutMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeoutMs);
      this.#waiting.push(resolve);
    });
    clearTimeout(timer);
  }

  send(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  endInput(): void {
    this.#child.stdin.end();
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Ends the process, by force where it does not go. Resolves when it is gone. */
  async stop(): Promise<void> {
    this.endInput();
    this.signal("SIGTERM");
    const timer = setTimeout(() => this.signal("SIGKILL"), stopGraceMs);
    await this.ended;
    clearTimeout(timer);
  }
}
