/** A child process of the bench: many nodes' sessions with one control plane, each on a connection of its own. */
import { setMaxListeners } from "node:events";
import { Backoff } from "../../dataplane/feed/backoff.ts";
import { controlPlaneChannel } from "../../dataplane/feed/control-plane-channel.ts";
import { Follower } from "../../dataplane/feed/follower.ts";
import { FleetSession } from "../../dataplane/telemetry/fleet-session.ts";
import type { NodeState } from "../../dataplane/telemetry/node-report.ts";
import type { SessionHost } from "../../dataplane/telemetry/node-session.ts";
import { PendingTraffic } from "../../dataplane/telemetry/pending-traffic.ts";
import { onLine, tell, workerSetting } from "./worker-lines.ts";

export interface SessionWorkerSetting {
  readonly address: string;
  readonly sessions: number;
  /** Number of the first node. */
  readonly first: number;
}

/** Routes, and servers, that each node has news of in a second, once traffic is asked for. */
const trafficEntries = 4;

const { address, sessions, first } = workerSetting() as SessionWorkerSetting;

// Sessions of one process would share one connection, which those of a thousand machines do not.
controlPlaneChannel["grpc.use_local_subchannel_pool"] = 1;

let reports = 0;
let lost = 0;
const stop = new AbortController();
setMaxListeners(0, stop.signal);
const traffics: PendingTraffic[] = [];

function nodeState(): NodeState {
  reports += 1;
  return {
    follower: follower.status,
    kept: undefined,
    diskFault: undefined,
    unbound: [],
    notTransparent: [],
    health: [],
    serverConnections: [],
    affinity: [],
    connections: 100,
    draining: false,
    ready: true,
    monotonicMs: performance.now(),
    wallMs: Date.now(),
  };
}

const follower = new Follower(
  { id: "bench", region: "", labels: {} },
  () => Promise.resolve(),
  () => undefined,
);

function hostOf(traffic: PendingTraffic): SessionHost {
  return {
    state: nodeState,
    traffic,
    drain: () => Promise.resolve(),
    undrain: () => Promise.resolve(),
    resync: () => undefined,
    setLogLevel: () => undefined,
    table: () => Promise.resolve({ position: follower.status.position, entries: [], truncated: false }),
    explain: () => "a simulated node explains nothing",
  };
}

function openSession(index: number): void {
  const traffic = new PendingTraffic();
  traffics.push(traffic);
  const hello = {
    nodeId: `bench-${index}`,
    region: `region-${index % 4}`,
    labels: { rack: String(index % 20) },
    bootId: `boot-${index}`,
    softwareVersion: "bench",
    engine: "portable",
    lastKnownGoodRevision: 0n,
    lastKnownGoodDigest: new Uint8Array(0),
  };
  const session = new FleetSession({
    addresses: [address],
    hello,
    host: hostOf(traffic),
    backoff: new Backoff(200, 5000, Math.random),
    random: Math.random,
    onLost: () => {
      lost += 1;
    },
  });
  void session.hold(stop.signal);
}

function countTraffic(): void {
  const connection = { reason: "done", bytesFromClient: 2000, bytesFromServer: 30_000 } as const;
  for (const traffic of traffics) {
    for (let entry = 0; entry < trafficEntries; entry += 1)
      traffic.closed(`listeners/bench/routes/route${entry}`, `farms/bench/servers/server${entry}`, {
        ...connection,
        answer: "server_hello",
        resumption: "accepted",
      });
  }
}

for (let index = first; index < first + sessions; index += 1) openSession(index);
onLine((line) => {
  if (line === "traffic") setInterval(countTraffic, 1000);
  tell({ reports, lost });
});
