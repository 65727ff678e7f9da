import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { nodeTarget } from "./node-target.ts";
import { PinnedProcess } from "./pinned-process.ts";
import { repositoryPath } from "./repository-path.ts";
import type { TargetArguments } from "./switchyard-target.ts";
import type { Availability, RunningTarget, Target, TargetSetup } from "./target.ts";

const startWithinMs = 30_000;

const programPath = fileURLToPath(new URL("./switchyard-target.js", import.meta.url));

/** One of Switchyard's engines, in a node process with the decisions of `target-decisions.ts`. */
export function engineTarget(engine: "native" | "portable"): Target {
  const target = {
    name: engine === "native" ? "switchyard" : "switchyard-portable",
    availability: () => availability(engine),
    start: (setup: TargetSetup) => start(engine, setup),
  };
  return { ...target, asNode: nodeTarget(engine, target) };
}

/** Starts one for a moment: that is the only proof that the addon is built, and loads. */
async function availability(engine: "native" | "portable"): Promise<Availability> {
  try {
    const setup = { serverPorts: [1], names: [], cores: [0], threads: 1, directory: "/" };
    const running = await start(engine, setup);
    await running.stop();
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    const cause = /^(?:\w*Error[^:]*|Error): .*/m.exec(text)?.[0] ?? text;
    return { available: false, why: `does not start: ${cause.slice(0, 200)}` };
  }
  return { available: true, version: `${await commitId()}, node ${process.version}` };
}

async function start(engine: "native" | "portable", setup: TargetSetup): Promise<RunningTarget> {
  const settings: TargetArguments = {
    engine,
    threads: setup.threads,
    serverPorts: setup.serverPorts,
    names: setup.names,
  };
  const node = new PinnedProcess({
    command: process.execPath,
    args: ["--enable-source-maps", programPath, JSON.stringify(settings)],
    cores: setup.cores,
  });
  try {
    const line = await node.nextLine(startWithinMs);
    return { ports: [line["port"] as number], pid: node.pid, stop: () => node.stop() };
  } catch (error) {
    await node.stop();
    throw error;
  }
}

/** The short commit, with a mark where the tree differs from it. */
export async function commitId(): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)("git", ["describe", "--always", "--dirty"], { cwd: repositoryPath() });
    return stdout.trim();
  } catch (error) {
    return `unknown (${(error as NodeJS.ErrnoException).code ?? "git failed"})`;
  }
}
