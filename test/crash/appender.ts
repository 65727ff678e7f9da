import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { onTestFinished } from "vitest";

/** The built engine: a process of plain Node can't run the sources. Another build may stand in for `dist`. */
function builtEngine(): string {
  const dist = process.env["SWITCHYARD_DIST"] ?? join(import.meta.dirname, "../../dist");
  const engine = join(dist, "controlplane/log/sqlite-event-log.js");
  if (!existsSync(engine)) throw new Error(`${engine} is missing; build it first: npm run build`);
  return engine;
}

/** A process that appends to a log, see `appender.mjs`. */
export interface Appender {
  readonly process: ChildProcess;
  /** Lets it open the log: it is loaded beforehand, which takes most of the time of a short life. */
  go(): void;
  /** Every line that it has said so far, and the ones to come. */
  readonly lines: readonly string[];
  /** Resolves when it has said that many lines, or has ended. */
  said(lines: number): Promise<void>;
  /** Resolves when it has ended and all of its lines are in. */
  readonly ended: Promise<void>;
}

export interface AppenderOptions {
  readonly path: string;
  readonly seed: number;
  /** Without it, until it is killed. */
  readonly commits?: number;
  /** A limit for the shell that starts it, such as `ulimit -f 100`. */
  readonly limit?: string;
}

export function startAppender({ path, seed, commits, limit }: AppenderOptions): Appender {
  const script = join(import.meta.dirname, "appender.mjs");
  const command = [process.execPath, script, builtEngine(), path, String(seed), ...(commits ? [String(commits)] : [])];
  const child =
    limit === undefined
      ? spawn(command[0]!, command.slice(1), { stdio: ["pipe", "pipe", "inherit"] })
      : spawn("bash", ["-c", `${limit} && exec "$@"`, "bash", ...command], { stdio: ["pipe", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  const wake = (): void => {
    for (const check of waiting) check();
  };
  let over = false;
  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(line);
    wake();
  });
  const ended = once(child, "close").then(() => {
    over = true;
    wake();
  });
  const said = async (count: number): Promise<void> =>
    new Promise((resolve) => {
      const check = (): void => {
        if (lines.length < count && !over) return;
        waiting.delete(check);
        resolve();
      };
      waiting.add(check);
      check();
    });
  return { process: child, go: () => void child.stdin.end("g"), lines, said, ended };
}

/** The hash of each revision that was acknowledged. A line that the kill cut short has no full hash, and does not count. */
export function acknowledged(lines: readonly string[]): Map<number, string> {
  const hashes = new Map<number, string>();
  for (const line of lines) {
    const [, revision, hash] = /^ack (\d+) ([0-9a-f]{64})$/.exec(line) ?? [];
    if (revision === undefined || hash === undefined) continue;
    if (hashes.has(Number(revision))) throw new Error(`revision ${revision} was acknowledged twice`);
    hashes.set(Number(revision), hash);
  }
  return hashes;
}
