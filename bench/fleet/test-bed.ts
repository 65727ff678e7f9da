import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { repositoryPath } from "../compare/repository-path.ts";
import { BenchProcess, type ProcessStart } from "./bench-process.ts";

const workerHeapMiB = 4096;

/** What one round runs on: a folder and processes of its own, all of them gone at its end. */
export class TestBed {
  readonly folder: string;
  readonly #processes: BenchProcess[] = [];
  readonly #endings: (() => Promise<void> | void)[] = [];
  #closed = false;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async make(): Promise<TestBed> {
    return new TestBed(await mkdtemp(join(tmpdir(), "switchyard-bench-fleet-")));
  }

  start(program: ProcessStart): BenchProcess {
    if (this.#closed) throw new Error("this round is over");
    const process = new BenchProcess(program);
    this.#processes.push(process);
    return process;
  }

  /** The built command. */
  switchyard(words: readonly string[]): BenchProcess {
    const command = repositoryPath("cli", "switchyard.mjs");
    return this.start({ name: `switchyard ${words[0] ?? ""}`, command: process.execPath, args: [command, ...words] });
  }

  /** Another program of this folder, with its setting as one JSON argument. It ends with its standard input. */
  worker(file: `${string}.js`, setting: object): BenchProcess {
    const args = [`--max-old-space-size=${workerHeapMiB}`, join(import.meta.dirname, file), JSON.stringify(setting)];
    return this.start({ name: file, command: process.execPath, args });
  }

  /** To be done before the processes are ended. */
  atEnd(ending: () => Promise<void> | void): void {
    this.#endings.push(ending);
  }

  /** Ends all there is, what was started last first, and removes the folder. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const ending of this.#endings.splice(0).toReversed()) await ending();
    await Promise.all(this.#processes.splice(0).map((process) => process.stop()));
    await rm(this.folder, { recursive: true, force: true });
  }
}
