import type { BenchProcess } from "./bench-process.ts";
import type { TestBed } from "./test-bed.ts";

const startWithinMs = 30_000;

/** A running `switchyard controlplane` and how to reach it. */
export interface ControlPlaneProcess {
  readonly process: BenchProcess;
  readonly address: string;
  readonly httpPort: number;
}

/** Starts one on ports of its own; `words` say which log. */
export async function startControlPlane(bed: TestBed, words: readonly string[]): Promise<ControlPlaneProcess> {
  const ports = ["--admin-address", "127.0.0.1:0", "--http-address", "127.0.0.1:0", "--log-level", "warn"];
  const process = bed.switchyard(["controlplane", ...ports, ...words]);
  const adminPort = await process.printed(/admin port (\d+)/, startWithinMs);
  const httpPort = await process.printed(/http port (\d+)/, startWithinMs);
  return { process, address: `127.0.0.1:${adminPort}`, httpPort: Number(httpPort) };
}

/** One number of a process's metrics. */
export async function metric(httpPort: number, name: string): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${httpPort}/metrics`);
  const match = new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, "m").exec(await answer.text());
  if (match === null) throw new Error(`no ${name} in the metrics`);
  return Number(match[1]);
}
