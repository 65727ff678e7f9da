import { readFileSync } from "node:fs";
import { readUsage } from "../compare/process-usage.ts";

/** One tick of /proc/stat is 10 ms on every Linux that Debian ships (USER_HZ, proc(5)). */
const tickNs = 10_000_000;

/** Processor time up to a point: all there was, what was used of it, and what this process and its children used. */
export interface MachineTimes {
  readonly allNs: number;
  readonly busyNs: number;
  readonly ownNs: number;
}

export function machineTimes(): MachineTimes {
  const fields = (readFileSync("/proc/stat", "utf8").split("\n")[0] ?? "").trim().split(/\s+/).slice(1, 9).map(Number);
  const all = fields.reduce((sum, ticks) => sum + ticks, 0);
  const idle = (fields[3] ?? 0) + (fields[4] ?? 0);
  return { allNs: all * tickNs, busyNs: (all - idle) * tickNs, ownNs: readUsage(process.pid).cpuNs };
}

/** Shares of the machine, 0 to 1: the bench's own, and that of others; what the hypervisor kept from us is theirs too. */
export function machineShares(
  before: MachineTimes,
  after: MachineTimes,
): { readonly ownShare: number; readonly othersShare: number } {
  const allNs = after.allNs - before.allNs;
  if (allNs <= 0) return { ownShare: 0, othersShare: 0 };
  const ownNs = after.ownNs - before.ownNs;
  const othersNs = after.busyNs - before.busyNs - ownNs;
  return { ownShare: Math.max(0, ownNs / allNs), othersShare: Math.max(0, othersNs / allNs) };
}
