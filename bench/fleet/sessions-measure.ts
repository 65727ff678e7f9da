import { readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Figures } from "../compare/measure.ts";
import { readResidentBytes, readUsage } from "../compare/process-usage.ts";
import { until } from "../compare/settle.ts";
import type { BenchProcess } from "./bench-process.ts";
import { metric, startControlPlane } from "./control-plane-process.ts";
import type { FleetMeasure, FleetRound } from "./fleet-measure.ts";
import type { SessionWorkerSetting } from "./session-worker.ts";

const workers = 2;
const connectWithinMs = 30_000;
const answerWithinMs = 10_000;

/** Until caches are filled, code is compiled and the storm of hellos is over. */
const settleMs = 3000;

/** Fewer reports than this share of one a second from each, and the workers were too slow to load anything. */
const reportsShareMin = 0.95;

/** What one control-plane process needs for the sessions of a thousand nodes. */
export const sessionsMeasure: FleetMeasure = {
  name: "sessions",
  title: "node sessions reporting each second, on one control-plane process",
  obstacle: () => Promise.resolve(undefined),
  async take(round: FleetRound): Promise<Figures> {
    const { bed, sizes } = round;
    const plane = await startControlPlane(bed, ["--data-dir", join(bed.folder, "log")]);
    await delay(settleMs);
    const { pid } = plane.process;
    const bytesBefore = readResidentBytes(pid);
    const openBefore = openDescriptors(pid);
    const each = Math.ceil(sizes.sessions / workers);
    const crew = Array.from({ length: workers }, (_, index) => {
      const setting: SessionWorkerSetting = { address: plane.address, sessions: each, first: index * each };
      return bed.worker("session-worker.js", setting);
    });
    const connected = () => metric(plane.httpPort, "switchyard_controlplane_nodes");
    await until("all sessions", connectWithinMs, async () => (await connected()) === each * workers);
    const connections = openDescriptors(pid) - openBefore;
    if (connections < each * workers) throw new Error(`${each * workers} sessions on ${connections} connections`);
    await delay(settleMs);
    const reporting = await load(round, pid, crew, "count");
    const bytesAfter = readResidentBytes(pid);
    const withTraffic = await load(round, pid, crew, "traffic");
    return {
      cpuShare: reporting.cpuShare,
      bytesPerSession: (bytesAfter - bytesBefore) / (each * workers),
      reportsPerSecond: reporting.reportsPerSecond,
      cpuShareWithTraffic: withTraffic.cpuShare,
      bytesPerSessionWithTraffic: (readResidentBytes(pid) - bytesBefore) / (each * workers),
      residentMiBBefore: bytesBefore / 2 ** 20,
    };
  },
};

function openDescriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** The process's share of a core while the sessions report; `line` is said to the workers first. */
async function load({ sizes }: FleetRound, pid: number, crew: readonly BenchProcess[], line: "count" | "traffic") {
  if (line === "traffic") {
    await askAll(crew, line);
    await delay(settleMs);
  }
  const before = { ...(await askAll(crew, "count")), cpuNs: readUsage(pid).cpuNs, atMs: performance.now() };
  await delay(sizes.sessionSeconds * 1000);
  const cpuNs = readUsage(pid).cpuNs - before.cpuNs;
  const seconds = (performance.now() - before.atMs) / 1000;
  const after = await askAll(crew, "count");
  const reportsPerSecond = (after.reports - before.reports) / seconds;
  if (after.lost > 0) throw new Error(`${after.lost} sessions were lost`);
  if (reportsPerSecond < sizes.sessions * reportsShareMin)
    throw new Error(`only ${Math.round(reportsPerSecond)} reports a second of ${sizes.sessions}`);
  return { cpuShare: cpuNs / 1e9 / seconds, reportsPerSecond };
}

async function askAll(crew: readonly BenchProcess[], line: string): Promise<{ reports: number; lost: number }> {
  const answers = await Promise.all(crew.map((worker) => worker.ask(line, answerWithinMs)));
  const total = (name: "reports" | "lost"): number => answers.reduce((sum, answer) => sum + Number(answer[name]), 0);
  return { reports: total("reports"), lost: total("lost") };
}
