import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { PinnedProcess } from "./pinned-process.ts";
import { repositoryPath } from "./repository-path.ts";
import type { TargetArguments } from "./switchyard-target.ts";
import type { AppliedRoutes, Availability, RunningTarget, Target, TargetSetup, TargetWithRoutes } from "./target.ts";

const startWithinMs = 30_000;
const applyWithinMs = 60_000;

const programPath = fileURLToPath(new URL("./switchyard-target.js", import.meta.url));

/** One of Switchyard's engines, in a node process with the decisions of `target-decisions.ts`. */
export function engineTarget(engine: "native" | "portable"): Target {
  return {
    name: engine === "native" ? "switchyard" : "switchyard-portable",
    availability: () => availability(engine),
    start: async (setup: TargetSetup) => (await start(engine, setup, 0)).running,
    startWithRoutes: (setup: TargetSetup, routes: number) => start(engine, setup, routes),
  };
}

/** Starts one for a moment: that is the only proof that the addon is built, and loads. */
async function availability(engine: "native" | "portable"): Promise<Availability> {
  try {
    const setup = { serverPorts: [1], names: [], cores: [0], threads: 1, directory: "/" };
    const { running } = await start(engine, setup, 0);
    await running.stop();
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    const cause = /^(?:\w*Error[^:]*|Error): .*/m.exec(text)?.[0] ?? text;
    return { available: false, why: `does not start: ${cause.slice(0, 200)}` };
  }
  return { available: true, version: `${await commitId()}, node ${process.version}` };
}

async function start(engine: "native" | "portable", setup: TargetSetup, moreRoutes: number): Promise<TargetWithRoutes> {
  const startedAt = performance.now();
  const settings: TargetArguments = {
    engine,
    threads: setup.threads,
    serverPorts: setup.serverPorts,
    names: setup.names,
    moreRoutes,
  };
  const node = new PinnedProcess({
    command: process.execPath,
    args: ["--enable-source-maps", programPath, JSON.stringify(settings)],
    cores: setup.cores,
  });
  try {
    const line = await node.nextLine(startWithinMs);
    const running: RunningTarget = {
      ports: [line["port"] as number],
      pid: node.pid,
      applyRoutes: (count) => applyRoutes(node, count),
      stop: () => node.stop(),
    };
    const { routes, tableBytes } = line as unknown as AppliedRoutes;
    return { running, readyMs: performance.now() - startedAt, routes, tableBytes };
  } catch (error) {
    await node.stop();
    throw error;
  }
}

async function applyRoutes(node: PinnedProcess, count: number): Promise<AppliedRoutes> {
  node.send(JSON.stringify({ command: "apply-routes", count }));
  return (await node.nextLine(applyWithinMs)) as unknown as AppliedRoutes;
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
