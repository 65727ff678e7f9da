import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { connect } from "nats";
import { freePort } from "../../test/support/free-port.ts";
import type { Figures } from "../compare/measure.ts";
import { readResidentBytes, readUsage } from "../compare/process-usage.ts";
import { until } from "../compare/settle.ts";
import { median } from "../compare/statistics.ts";
import { logNames } from "../../model/log-names.ts";
import { decodeSnapshotPointer } from "../../model/wire/log-record.ts";
import type { AdminApi } from "./admin-api.ts";
import { benchRoute, benchServer } from "./bench-configuration.ts";
import type { BenchProcess } from "./bench-process.ts";
import { metric } from "./control-plane-process.ts";
import type { FleetMeasure, FleetRound } from "./fleet-measure.ts";
import { initStreams, startWithBase } from "./nats-log.ts";
import { natsObstacle, NatsServer } from "./nats-server.ts";
import { isReady } from "./is-ready.ts";

/** A large configuration seldom comes in one commit. */
const routesPerCommit = 1000;

/** So many commits make a control plane write a snapshot (`controlplane/state/snapshot-writer.ts`), and a few more a tail. */
const commitsWanted = 1000;
const tailCommits = 20;
const callsAtOnce = 8;

const startsPerRound = 3;
const readyWithinMs = 60_000;
const snapshotWithinMs = 60_000;
const pollMs = 2;

/** How soon a process that is started routes by a large configuration. */
export const startMeasure: FleetMeasure = {
  name: "start",
  title: "a new node with a large configuration, from the start of its process until /readyz says yes",
  obstacle: natsObstacle,
  async take(round: FleetRound): Promise<Figures> {
    const { bed, sizes, report } = round;
    const server = await NatsServer.start(bed, { name: "nats" });
    await initStreams(bed, server);
    const { api, address, httpPort } = await startWithBase(bed, server);
    const filledMs = performance.now();
    const head = await fill(api, sizes.routes);
    const snapshotRevision = await snapshotPublished(server);
    report(`start: ${sizes.routes} routes written in ${Math.round(performance.now() - filledMs)} ms`);
    const source = ["--nats", server.url, "--control", address];
    // Nothing answers on these: what the node has, it has from its disk.
    const nowhere = ["--nats", `nats://127.0.0.1:${await freePort()}`, "--control", `127.0.0.1:${await freePort()}`];
    const fresh: NodeStart[] = [];
    const cached: NodeStart[] = [];
    let residentBytes = 0;
    for (let start = 0; start < startsPerRound; start += 1) {
      const stateDir = ["--state-dir", join(bed.folder, `state-${start}`)];
      const first = await startNode(round, `node-${start}`, [...source, ...stateDir], head);
      fresh.push(first);
      const viaControlPlane = await metric(httpPort, "switchyard_controlplane_followers");
      if (viaControlPlane !== 0) throw new Error("the node follows the control plane, and not NATS");
      residentBytes = readResidentBytes(first.process.pid);
      await first.process.stop();
      const second = await startNode(round, `node-${start}`, [...nowhere, ...stateDir], head);
      cached.push(second);
      await second.process.stop();
    }
    return {
      snapshotMs: median(fresh.map(({ readyMs }) => readyMs)),
      cacheMs: median(cached.map(({ readyMs }) => readyMs)),
      // Of all threads until it was ready: what it takes, however busy the machine is.
      snapshotCpuMs: median(fresh.map(({ cpuMs }) => cpuMs)),
      cacheCpuMs: median(cached.map(({ cpuMs }) => cpuMs)),
      routes: sizes.routes,
      head,
      snapshotRevision,
      residentMiB: residentBytes / 2 ** 20,
    };
  },
};

/** Writes the routes and then small commits, until a snapshot is due and a tail has come after it. Answers the head. */
async function fill(api: AdminApi, routes: number): Promise<number> {
  let revision = 0;
  for (let first = 1; first <= routes; first += routesPerCommit) {
    const count = Math.min(routesPerCommit, routes - first + 1);
    const resources = Array.from({ length: count }, (_, offset) => benchRoute(first + offset, 0));
    revision = await api.apply(resources, `routes-${first}`);
  }
  let next = revision + 1;
  const write = async (): Promise<void> => {
    while (next <= commitsWanted + tailCommits) {
      const index = next;
      next += 1;
      revision = Math.max(revision, await api.apply([benchServer(index % 2, 1 + (index % 200))], `tail-${index}`));
    }
  };
  await Promise.all(Array.from({ length: callsAtOnce }, write));
  return revision;
}

/** Resolves with the snapshot's revision once nodes can find it. */
async function snapshotPublished(server: NatsServer): Promise<number> {
  const names = logNames();
  const connection = await connect({ servers: server.url });
  let revision: number | undefined;
  try {
    const manager = await connection.jetstreamManager();
    await until("a snapshot for nodes", snapshotWithinMs, async () => {
      const wanted = { last_by_subj: names.snapshotPointerSubject };
      const stored = await manager.streams.getMessage(names.snapshotStream, wanted).catch(() => undefined);
      revision = stored && decodeSnapshotPointer(stored.data)?.position.revision;
      return revision !== undefined;
    });
  } finally {
    await connection.close();
  }
  return revision as number;
}

interface NodeStart {
  readonly process: BenchProcess;
  readonly readyMs: number;
  readonly cpuMs: number;
}

/** Starts a node and waits until it is ready, and then until all of the configuration is on its disk. */
async function startNode({ bed }: FleetRound, id: string, words: readonly string[], head: number): Promise<NodeStart> {
  const httpPort = await freePort();
  const startedMs = performance.now();
  const where = ["--http-address", `127.0.0.1:${httpPort}`, "--log-level", "error"];
  const process = bed.switchyard(["node", "--id", id, ...where, ...words]);
  while (!(await isReady(httpPort))) {
    if (!process.running) throw new Error(`the node ended: ${process.said}`);
    if (performance.now() - startedMs > readyWithinMs) throw new Error(`not ready: ${process.said}`);
    await delay(pollMs);
  }
  const readyMs = performance.now() - startedMs;
  const cpuMs = readUsage(process.pid).cpuNs / 1e6;
  const revision = await metric(httpPort, "switchyard_node_revision");
  if (revision !== head) throw new Error(`ready at revision ${revision} and not ${head}`);
  await until("all of it on disk", readyWithinMs, async () => {
    return (await metric(httpPort, "switchyard_node_kept_revision")) === head;
  });
  return { process, readyMs, cpuMs };
}
