import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { PinnedProcess } from "./pinned-process.ts";
import { repositoryPath } from "./repository-path.ts";

const run = promisify(execFile);

/** Builds `bench/load`. Rejects with what the compiler said. */
export async function buildLoadPrograms(): Promise<void> {
  try {
    await run("make", ["-s", "-C", repositoryPath("bench", "load")], { timeout: 300_000 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
      throw new Error("make is missing: apt-get install make g++", { cause: error });
    }
    throw new Error(`bench/load does not build (apt-get install make g++): ${String(error)}`, { cause: error });
  }
}

const loadPath = repositoryPath("bench", "load", "build", "load");
const sinkPath = repositoryPath("bench", "load", "build", "sink");

/** What every mode of the generator prints. */
export interface LoadResult {
  readonly seconds: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly faultsTotal: number;
}

export interface Latency {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

export interface RateResult extends LoadResult {
  readonly connections: number;
  readonly perSecond: number;
  readonly latencyUs: Latency;
}

export interface BulkResult extends LoadResult {
  readonly bytesSent: number;
  readonly bytesReceived: number;
}

export interface RttResult extends LoadResult {
  readonly roundTrips: number;
  readonly perSecond: number;
  readonly latencyUs: Latency;
}

export type LoadMode = "rate" | "bulk" | "rtt" | "idle" | "half-hello";

/** Options of the generator by name, without the dashes (`bench/load/options.h`). */
export type LoadOptions = Readonly<Record<string, string | number>>;

export function startLoad(
  mode: LoadMode,
  ports: readonly number[],
  options: LoadOptions,
  cores: readonly number[],
): PinnedProcess {
  const args: string[] = [mode, "--connect", ports.map((port) => `127.0.0.1:${port}`).join(",")];
  for (const [name, value] of Object.entries(options)) args.push(`--${name}`, String(value));
  return new PinnedProcess({ command: loadPath, args, cores });
}

/** Longer than the generator's own timeouts, which come first and say more. */
const loadSlackMs = 20_000;

/**
 * Runs the generator to its end. Rejects where any connection went wrong: what such a run counted is no speed.
 */
export async function runLoad<T extends LoadResult>(
  mode: LoadMode,
  ports: readonly number[],
  options: LoadOptions & { readonly seconds: number },
  cores: readonly number[],
): Promise<T> {
  const process = startLoad(mode, ports, options, cores);
  try {
    const result = await process.nextLine(options.seconds * 1000 + loadSlackMs);
    return checkedResult(result, await process.ended) as T;
  } finally {
    await process.stop();
  }
}

/** The result, where the run was without a fault. Throws otherwise, with the faults by kind. */
export function checkedResult(line: Record<string, unknown>, exitCode: number): LoadResult {
  const result = line as unknown as LoadResult;
  if (result.faultsTotal === 0 && exitCode === 0) return result;
  const faults = Object.entries(result.faults ?? {}).map(([kind, count]) => `${count} ${kind}`);
  throw new Error(`connections went wrong: ${faults.join(", ") || `the generator's exit code was ${exitCode}`}`);
}

export interface SinkCounters {
  readonly accepted: number;
  readonly live: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  readonly payloadFaults: number;
  readonly badHellos: number;
  readonly resets: number;
}

/** The servers behind the proxies: one process, several ports. */
export class Sink {
  readonly #process: PinnedProcess;
  readonly ports: readonly number[];

  private constructor(process: PinnedProcess, ports: readonly number[]) {
    this.#process = process;
    this.ports = ports;
  }

  static async start(servers: number, cores: readonly number[]): Promise<Sink> {
    const process = new PinnedProcess({ command: sinkPath, args: ["--ports", String(servers)], cores });
    const line = await process.nextLine(5000);
    return new Sink(process, line["ports"] as number[]);
  }

  get running(): boolean {
    return this.#process.running;
  }

  /** Rejects where the sink is gone. */
  async counters(): Promise<SinkCounters> {
    this.#process.send("counters");
    return (await this.#process.nextLine(5000)) as unknown as SinkCounters;
  }

  async stop(): Promise<void> {
    await this.#process.stop();
  }
}
