import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";

export interface ProcessStart {
  /** For messages. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

const saidCharactersMax = 8000;
const stopGraceMs = 5000;

/** A child process of the bench. Lines of JSON on its stdout are messages; everything else is text to be waited for. */
export class BenchProcess {
  readonly name: string;
  readonly ended: Promise<void>;
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #messages: unknown[] = [];
  readonly #waiting = new Set<() => void>();
  #rest = "";
  /** The end of all the text that it printed, on either output. */
  #said = "";
  #running = true;

  constructor({ name, command, args }: ProcessStart) {
    this.name = name;
    this.#child = spawn(command, [...args], { stdio: ["pipe", "pipe", "pipe"] });
    this.#child.stdout.setEncoding("utf8").on("data", (text: string) => this.#takeLines(text));
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => this.#takeText(text));
    // Writing to a process that has just ended is its end's affair, which `ended` tells.
    this.#child.stdin.on("error", () => undefined);
    this.ended = new Promise((resolve) => {
      const finish = (why: string) => {
        if (!this.#running) return;
        this.#running = false;
        this.#takeText(`\n(${why})`);
        resolve();
      };
      this.#child.once("error", (error) => finish(String(error)));
      this.#child.once("close", (code, signal) => finish(signal ?? `exit code ${code}`));
    });
  }

  /** @throws Error where it could not be started */
  get pid(): number {
    if (this.#child.pid === undefined) throw new Error(`${this.name} did not start: ${this.said}`);
    return this.#child.pid;
  }

  get running(): boolean {
    return this.#running;
  }

  /** The end of what it printed beside messages. */
  get said(): string {
    return this.#said.trim();
  }

  /** The first group of the pattern in what it printed; rejects where it ends, or the time does, before that. */
  async printed(pattern: RegExp, timeoutMs: number): Promise<string> {
    let found: string | undefined;
    await this.#until(String(pattern), timeoutMs, () => {
      const match = pattern.exec(this.#said);
      found = match?.[1] ?? match?.[0];
      return found !== undefined;
    });
    return found as string;
  }

  /** The next message; rejects where it ends, or the time does, before that. */
  async message(timeoutMs: number): Promise<Record<string, unknown>> {
    await this.#until("a message", timeoutMs, () => this.#messages.length > 0);
    return this.#messages.shift() as Record<string, unknown>;
  }

  /** A line on its standard input. */
  send(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  /** The answer to a line, where each is answered with one message. */
  async ask(line: string, timeoutMs: number): Promise<Record<string, unknown>> {
    this.send(line);
    return this.message(timeoutMs);
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Ends it, by force where it does not go. Resolves when it is gone. */
  async stop(): Promise<void> {
    this.#child.stdin.end();
    this.signal("SIGTERM");
    const timer = setTimeout(() => this.signal("SIGKILL"), stopGraceMs);
    await this.ended;
    clearTimeout(timer);
  }

  #takeLines(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() as string;
    for (const line of lines) {
      if (line.startsWith("{")) this.#messages.push(JSON.parse(line));
      else this.#takeText(`${line}\n`);
    }
    this.#wake();
  }

  #takeText(text: string): void {
    this.#said = (this.#said + text).slice(-saidCharactersMax);
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }

  async #until(what: string, timeoutMs: number, holds: () => boolean): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (!holds()) {
      const leftMs = deadline - performance.now();
      if (!this.#running) throw new Error(`${this.name} ended before ${what}: ${this.said}`);
      if (leftMs <= 0) throw new Error(`${this.name}: no ${what} within ${timeoutMs} ms; it said: ${this.said}`);
      await this.#news(leftMs);
    }
  }

  #news(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      this.#waiting.add(done);
    });
  }
}
