import { readFileSync } from "node:fs";
import type { Run } from "./measure.ts";
import { type ProcessUsage, readUsage, usageBetween } from "./process-usage.ts";

/** What a proxy used between two moments, and who else had its core. */
export interface ProxyUse {
  readonly used: ProcessUsage;
  /** Share of the core's time, 0 to 1. Below 1 the proxy waited: for the generator, or for its turn on the core. */
  readonly proxyBusy: number;
  /** Share of the core that others had, the kernel's own threads among them. Where it is much, the run says little. */
  readonly othersOnCore: number;
}

/** Reads a proxy's accounts at its making, and again at {@link close}. */
export class ProxyAccount {
  readonly #pid: number;
  readonly #cores: readonly number[];
  readonly #before: ProcessUsage;
  readonly #idleBeforeNs: number;
  readonly #openedAt = performance.now();

  private constructor(pid: number, cores: readonly number[]) {
    this.#pid = pid;
    this.#cores = cores;
    this.#idleBeforeNs = readIdleNs(cores);
    this.#before = readUsage(pid);
  }

  /** Undefined where there is no proxy. */
  static open(run: Run): ProxyAccount | undefined {
    return run.target.pid === undefined ? undefined : new ProxyAccount(run.target.pid, run.cores.proxy);
  }

  close(): ProxyUse {
    const used = usageBetween(this.#before, readUsage(this.#pid));
    const elapsedNs = (performance.now() - this.#openedAt) * 1e6;
    const coresNs = elapsedNs * this.#cores.length;
    const othersNs = coresNs - used.cpuNs - (readIdleNs(this.#cores) - this.#idleBeforeNs);
    return { used, proxyBusy: used.cpuNs / elapsedNs, othersOnCore: Math.max(0, othersNs / coresNs) };
  }
}

const tickNs = 10_000_000;

function readIdleNs(cores: readonly number[]): number {
  const text = readFileSync("/proc/stat", "utf8");
  return cores.reduce((sum, core) => sum + idleNanoseconds(text, core), 0);
}

/** Idle time of a core since boot, waiting for disks included, from the text of `/proc/stat` (proc(5)). */
export function idleNanoseconds(text: string, core: number): number {
  const fields = new RegExp(`^cpu${core} (.*)$`, "m").exec(text)?.[1]?.split(" ");
  if (fields === undefined) throw new Error(`no core ${core} in /proc/stat`);
  return (Number(fields[3]) + Number(fields[4])) * tickNs;
}
