import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "../../test/support/free-port.ts";
import { encodeStart, type NodeConfiguration, sealRoutes, startPosition } from "./node-configuration.ts";
import type { DeliverCommand, NodeArguments } from "./node-process.ts";
import { PinnedProcess } from "./pinned-process.ts";
import { withChecksum } from "./stored-feed.ts";
import type { AppliedRoutes, Target, TargetSetup, TargetWithRoutes } from "./target.ts";

const startWithinMs = 60_000;
const proveWithinMs = 120_000;
const applyWithinMs = 60_000;

const programPath = fileURLToPath(new URL("./node-process.js", import.meta.url));

/** A whole node with one of the engines: what it does with large configurations is measured, not what it forwards. */
export function nodeTarget(engine: "native" | "portable", engineTarget: Omit<Target, "asNode">): Target {
  return {
    name: engineTarget.name,
    availability: () => engineTarget.availability(),
    start: async (setup: TargetSetup) => (await start(engine, setup, 0)).running,
    startWithRoutes: (setup: TargetSetup, routes: number) => start(engine, setup, routes),
  };
}

async function start(engine: "native" | "portable", setup: TargetSetup, moreRoutes: number): Promise<TargetWithRoutes> {
  const { serverPorts, names, threads, cores, directory } = setup;
  const snapshotPath = join(directory, "snapshot");
  await writeFile(snapshotPath, await startBytes({ serverPorts, names, moreRoutes }));
  const settings: NodeArguments = { engine, threads, snapshotPath };
  const startedAt = performance.now();
  const node = new PinnedProcess({
    command: process.execPath,
    args: ["--enable-source-maps", programPath, JSON.stringify(settings)],
    cores,
  });
  try {
    const line = await node.nextLine(startWithinMs);
    const readyMs = performance.now() - startedAt;
    const { routes, tableBytes, port } = line as unknown as AppliedRoutes & { readonly port: number };
    const commits = new PreparedCommits(directory);
    const proven = async (): Promise<number> => {
      await node.nextLine(proveWithinMs);
      return performance.now() - startedAt;
    };
    const running = {
      ports: [port],
      pid: node.pid,
      prepareRoutes: async (count: number, times: number) => {
        await proven();
        await commits.prepare(count, times);
      },
      applyRoutes: async () => {
        const command: DeliverCommand = { command: "deliver", path: commits.next() };
        node.send(JSON.stringify(command));
        return (await node.nextLine(applyWithinMs)) as unknown as AppliedRoutes;
      },
      stop: () => node.stop(),
    };
    return { running, readyMs, proven, routes, tableBytes };
  } catch (error) {
    await node.stop();
    throw error;
  }
}

/** Sealed before the load begins: in a fleet that is the work of other machines. */
class PreparedCommits {
  readonly #directory: string;
  readonly #paths: string[] = [];
  #at = startPosition;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async prepare(count: number, times: number): Promise<void> {
    for (let made = 0; made < times; made += 1) {
      const { sealed, at } = sealRoutes(this.#at, count);
      const path = join(this.#directory, `commit-${at.revision}`);
      await writeFile(path, Buffer.concat([sealed.hash, sealed.body]));
      this.#at = at;
      this.#paths.push(path);
    }
  }

  next(): string {
    const path = this.#paths.shift();
    if (path === undefined) throw new Error("no commit was prepared");
    return path;
  }
}

/** The last one made, which the next round can use: a million routes take long to encode. */
let last: { readonly key: string; readonly bytes: Buffer } | undefined;

/** With a port for the listener that was free when the bytes were made. */
async function startBytes(wanted: Omit<NodeConfiguration, "port">): Promise<Buffer> {
  const key = JSON.stringify(wanted);
  if (last?.key !== key) last = { key, bytes: withChecksum(encodeStart({ ...wanted, port: await freePort() })) };
  return last.bytes;
}
