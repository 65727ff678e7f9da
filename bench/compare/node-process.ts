import { monitorEventLoopDelay } from "node:perf_hooks";
import { createInterface } from "node:readline";
import { DataPlaneNode } from "../../dataplane/data-plane-node.ts";
import { splitSocketAddress } from "../../model/address.ts";
import { nodeListener } from "./node-configuration.ts";
import { openEngine } from "./open-engine.ts";
import { StoredFeed } from "./stored-feed.ts";

/**
 * The process that the bench measures as a whole node: what `switchyard node` runs, but for the gRPC client, the access
 * log and the metrics' HTTP server. Its one argument is a {@link NodeArguments} as JSON. It prints `{"event":"listening"}`
 * when it routes, `{"event":"proven"}` when the snapshot's digest is shown, and carries out commands, a line of JSON
 * each; it ends when its stdin does, or by SIGTERM.
 */
export interface NodeArguments {
  readonly engine: "native" | "portable";
  readonly threads: number;
  /** With its checksum in front (`withChecksum`). */
  readonly snapshotPath: string;
}

export interface DeliverCommand {
  readonly command: "deliver";
  /** A sealed commit: hash, and body. */
  readonly path: string;
}

async function run({ engine, threads, snapshotPath }: NodeArguments): Promise<void> {
  const feed = new StoredFeed(snapshotPath);
  const fault = (error: Error): void => void process.stderr.write(`${error.stack ?? error.message}\n`);
  let setReady: () => void = () => undefined;
  const ready = new Promise<void>((resolve) => {
    setReady = resolve;
  });
  const node = new DataPlaneNode({
    createEngine: (handler) => openEngine(engine, handler, threads),
    feed,
    session: undefined,
    identity: { id: "bench", region: "", labels: {} },
    instance: "bench",
    resolve: async () => ({ addresses: [], ttlMs: 1000, missing: null }),
    random: Math.random,
    onHealth: () => undefined,
    onUnresolved: () => undefined,
    hashSeed: Math.floor(Math.random() * 2 ** 32),
    monotonicMs: () => performance.now(),
    wallMs: Date.now,
    onClosed: () => undefined,
    onFault: fault,
    onState: () => {
      if (node.ready) setReady();
    },
  });
  void node.start();
  await ready;
  const [bound] = node.engine.boundAddresses(nodeListener);
  if (bound === undefined) throw new Error("the listener has no address");
  say({ event: "listening", port: splitSocketAddress(bound).port, ...sizeOf(node) });
  process.once("SIGTERM", () => void end(node));
  await feed.proven;
  say({ event: "proven" });
  for await (const line of createInterface({ input: process.stdin })) {
    await deliver(JSON.parse(line) as DeliverCommand, node, feed);
  }
  await end(node);
}

async function deliver({ path }: DeliverCommand, node: DataPlaneNode, feed: StoredFeed): Promise<void> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const startedAt = performance.now();
  await feed.deliver(path);
  delay.disable();
  say({ event: "applied", appliedMs: performance.now() - startedAt, turnMaxMs: delay.max / 1e6, ...sizeOf(node) });
}

function sizeOf(node: DataPlaneNode): { readonly routes: number; readonly tableBytes: number } {
  const { names, bytes } = node.tableSize;
  return { routes: names, tableBytes: bytes };
}

async function end(node: DataPlaneNode): Promise<void> {
  await node.close(0);
  process.exit(0);
}

function say(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

const argument = process.argv[2];
if (argument === undefined) throw new Error("the argument is missing: the node's settings as JSON");
await run(JSON.parse(argument) as NodeArguments);
