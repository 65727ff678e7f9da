/**
 * What checks cost the process that makes them: `node dist/bench/checks/main.js [seconds]`. Exits with 1 where checks failed.
 *
 * The process has the checker and its board, and nothing else. Before each measurement the servers are checked until every
 * one has been, so that the handshakes which learn ticket names at the beginning are not in the figures.
 */
import { availableParallelism, cpus } from "node:os";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as pause } from "node:timers/promises";
import { HealthChecker } from "../../dataplane/health/health-checker.ts";
import { LocalProber } from "../../dataplane/health/probes/local-prober.ts";
import { ServerHealthBoard } from "../../dataplane/health/server-health.ts";
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

interface Measured {
  readonly cpuPercent: number;
  readonly microsecondsEach: number;
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

async function measure(servers: number, probe: Probe, seconds: number): Promise<Measured> {
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
    prober: new LocalProber(),
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
  const [cpuBefore, beganMs] = [process.cpuUsage(), now()];
  await pause(seconds * 1000);
  const cpu = process.cpuUsage(cpuBefore);
  const tookMs = now() - beganMs;
  delay.disable();
  const counts = { passed, failed };
  await checker.close();
  const cpuMicroseconds = cpu.user + cpu.system;
  return {
    cpuPercent: cpuMicroseconds / 10 / tookMs,
    microsecondsEach: cpuMicroseconds / Math.max(1, counts.passed),
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
const rows = [["check", "servers", "wanted/s", "made/s", "CPU %", "us each", "delay p50", "p99", "max ms", "failed"]];
let failedInAll = 0;
try {
  for (const { servers, probe } of cases) {
    const figures = await measure(servers, probe, seconds);
    failedInAll += figures.failed;
    rows.push([
      probe.type,
      String(servers),
      String((servers * 1000) / intervalMs),
      figures.checksPerSecond.toFixed(0),
      figures.cpuPercent.toFixed(1),
      figures.microsecondsEach.toFixed(0),
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
