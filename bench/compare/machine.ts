import { readFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";
import { toolVersion } from "./tool-version.ts";

/** Where the figures were taken. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
  readonly compiler: string;
  /** Load average of the last minute when the bench began: above 0.5 or so, others were using the machine. */
  readonly loadAverage: number;
}

export async function describeMachine(): Promise<Machine> {
  const processors = cpus();
  return {
    processor: processors[0]?.model ?? "unknown",
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    compiler: (await toolVersion("g++", "--version")) ?? "none",
    loadAverage: Number((loadavg()[0] as number).toFixed(2)),
  };
}

/**
 * What must be as the bench needs it. Answers what is not, as sentences; none where all is well.
 */
export function machineObstacles(): readonly string[] {
  const obstacles: string[] = [];
  // Each proxied connection leaves a port in TIME_WAIT; without their reuse 28,000 connections are all there can be in a
  // minute (tcp(7), tcp_tw_reuse: 1 everywhere, 2 on loopback).
  const reuse = readNumber("/proc/sys/net/ipv4/tcp_tw_reuse");
  if (reuse === 0) obstacles.push("net.ipv4.tcp_tw_reuse is 0: set it to 2, or ports run out");
  const queue = readNumber("/proc/sys/net/core/somaxconn");
  if (queue !== undefined && queue < 1024)
    obstacles.push(`net.core.somaxconn is ${queue}: connections would be dropped`);
  return obstacles;
}

function readNumber(path: string): number | undefined {
  try {
    return Number(readFileSync(path, "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
