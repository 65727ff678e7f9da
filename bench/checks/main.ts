/**
 * What checks cost the process that makes them: `node dist/bench/checks/main.js [seconds]`. Exits with 1 where checks failed.
 *
 * The process has the checker and its board, and nothing else: its main thread stands for the one that decides connections.
 * Each case is measured with the checks in that thread, and then, as in a node, with the checks in one of their own. Before each measurement the servers are checked until every
 * one has been, so that the handshakes which learn ticket names at the beginning are not in the figures.
 */
import { readFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as pause } from "node:timers/promises";
import { Backoff } from "../../dataplane/feed/backoff.ts";
import { HealthChecker } from "../../dataplane/health/health-checker.ts";
import { LocalProber } from "../../dataplane/health/probes/local-prober.ts";
import type { Prober } from "../../dataplane/health/probes/prober.ts";
import { ServerHealthBoard } from "../../dataplane/health/server-health.ts";
import { ThreadProber } from "../../dataplane/health/thread/thread-prober.ts";
import { workerProbeThread } from "../../dataplane/health/thread/worker-probe-thread.ts";
import type { SocketAddress } from "../../model/address.ts";
import type { Change } from "../../model/configuration.ts";
import type { Probe } from "../../model/farm-policy.ts";
import type { Farm, Server } from "../../model/resource.ts";
import { testCheck, testFarm, testServer } from "../../test/health/health-resources.ts";
import { tableText } from "../compare/table-text.ts";
import { startCheckedServers } from "./checked-servers.ts";

const port = 24_433;
const intervalMs = 2000;
const settleMaxMs = 15_000;

const tls: Probe = {
  type: "tls",
  tls: {
    serverName: "a.test",
    alpnProtocols: [],
    minVersion: "TLSv1.2",
    maxVersion: "TLSv1.3",
    verify: false,
    caCertificates: "",
  },
};

const cases: readonly { readonly servers: number; readonly probe: Probe }[] = [
  { servers: 1000, probe: { type: "tcp" } },
  { servers: 5000, probe: { type: "tcp" } },
  { servers: 1000, probe: tls },
  { servers: 5000, probe: tls },
];

const ways: Readonly<Record<string, () => Prober>> = {
  deciding: () => new LocalProber(),
  own: () =>
    new ThreadProber({
      startThread: workerProbeThread(),
      backoff: new Backoff(1000, 1000, Math.random),
      nowMs: () => performance.now(),
      onDeath: (why) => {
        throw new Error(`the thread of checks died: ${why}`);
      },
    }),
};

interface Measured {
  readonly cpuPercent: number;
  readonly mainPercent: number;
  readonly mainMicrosecondsEach: number;
  readonly delayP50Ms: number;
  readonly delayP99Ms: number;
  readonly delayMaxMs: number;
  readonly checksPerSecond: number;
  readonly failed: number;
}

function farmOf(probe: Probe): Farm {
  return testFarm({ healthCheck: testCheck({ probe, intervalMs, fastIntervalMs: intervalMs, jitterPercent: 10 }) });
}

/** Each on a loopback address of its own. */
function serverOf(index: number): Server {
  return testServer(`farms/f/servers/s${index}`, `127.0.${1 + (index >> 8)}.${index & 255}:${port}`);
}

/** CPU time of the main thread: the first number of its `schedstat` (Linux, Documentation/scheduler/sched-stats). */
function mainThreadMicroseconds(): number {
  const [nanoseconds] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, "latin1").split(" ");
  return Number(nanoseconds) / 1000;
}

async function measure(servers: number, probe: Probe, prober: Prober, seconds: number): Promise<Measured> {
  let [passed, failed] = [0, 0];
  const seen = new Set<string>();
  const addresses = {
    next: (server: Server) => server.address as SocketAddress,
    isReachable: () => true,
    succeeded: ({ name }: Server) => {
      passed += 1;
      seen.add(name);
    },
    failed: () => {
      failed += 1;
    },
  };
  const board = new ServerHealthBoard();
  const now = (): number => performance.now();
  const checker = new HealthChecker({
    board,
    addresses,
    onTickets: () => undefined,
    now,
    random: Math.random,
    prober,
  });
  const changes: Change[] = [farmOf(probe), ...Array.from({ length: servers }, (_, index) => serverOf(index))].map(
    (after) => ({ before: null, after }),
  );
  board.apply(changes, now());
  checker.apply(changes);
  const settledBy = now() + settleMaxMs;
  while (seen.size < servers && now() < settledBy) await pause(100);
  await pause(intervalMs);

  [passed, failed] = [0, 0];
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const [cpuBefore, mainBefore, beganMs] = [process.cpuUsage(), mainThreadMicroseconds(), now()];
  await pause(seconds * 1000);
  const cpu = process.cpuUsage(cpuBefore);
  const mainMicroseconds = mainThreadMicroseconds() - mainBefore;
  const tookMs = now() - beganMs;
  delay.disable();
  const counts = { passed, failed };
  await checker.close();
  return {
    cpuPercent: (cpu.user + cpu.system) / 10 / tookMs,
    mainPercent: mainMicroseconds / 10 / tookMs,
    mainMicrosecondsEach: mainMicroseconds / Math.max(1, counts.passed),
    delayP50Ms: delay.percentile(50) / 1e6,
    delayP99Ms: delay.percentile(99) / 1e6,
    delayMaxMs: delay.max / 1e6,
    checksPerSecond: (counts.passed / tookMs) * 1000,
    failed: counts.failed,
  };
}

const seconds = Number(process.argv[2] ?? 12);
if (!(seconds >= 1 && seconds <= 60)) throw new Error("usage: node dist/bench/checks/main.js [seconds, 1 to 60]");
const running = await startCheckedServers(port);
const titles = "check|servers|thread|wanted/s|made/s|CPU %|of main|us each|delay p50|p99|max ms|failed";
const rows = [titles.split("|")];
let failedInAll = 0;
try {
  for (const { servers, probe } of cases)
    for (const [way, make] of Object.entries(ways)) {
      const figures = await measure(servers, probe, make(), seconds);
      failedInAll += figures.failed;
      rows.push([
        probe.type,
        String(servers),
        way,
        String((servers * 1000) / intervalMs),
        figures.checksPerSecond.toFixed(0),
        figures.cpuPercent.toFixed(1),
        figures.mainPercent.toFixed(1),
        figures.mainMicrosecondsEach.toFixed(0),
        figures.delayP50Ms.toFixed(2),
        figures.delayP99Ms.toFixed(1),
        figures.delayMaxMs.toFixed(1),
        String(figures.failed),
      ]);
    }
} finally {
  await running.stop();
}
console.log(`${cpus()[0]?.model ?? "?"}, ${availableParallelism()} cores, Node ${process.version}`);
console.log(tableText(rows));
if (failedInAll > 0) {
  console.log("checks failed: not to be quoted");
  process.exitCode = 1;
}
