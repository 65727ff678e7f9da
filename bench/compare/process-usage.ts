import { readdirSync, readFileSync } from "node:fs";

/** What a process and its descendants (nginx's worker, say) have used since they began. */
export interface ProcessUsage {
  /** Nanoseconds on a core, of threads that live (`/proc/PID/task/TID/schedstat`). */
  readonly cpuNs: number;
  /** Share of it in user mode, 0 to 1, from the coarser utime and stime; since the process began. */
  readonly userNs: number;
  /** Times that a thread went to sleep on its own accord, and so had to be woken. */
  readonly sleeps: number;
}

/** Usage of the tree below `pid`. Throws where the process is gone. */
export function readUsage(pid: number): ProcessUsage {
  let cpuNs = 0;
  let userNs = 0;
  let sleeps = 0;
  for (const process of processTree(pid)) {
    for (const thread of readdirSync(`/proc/${process}/task`)) {
      const base = `/proc/${process}/task/${thread}`;
      cpuNs += Number(readFileSync(`${base}/schedstat`, "utf8").split(" ")[0]);
      userNs += userNanoseconds(readFileSync(`${base}/stat`, "utf8"));
      sleeps += statusNumber(readFileSync(`${base}/status`, "utf8"), "voluntary_ctxt_switches");
    }
  }
  return { cpuNs, userNs, sleeps };
}

export function usageBetween(before: ProcessUsage, after: ProcessUsage): ProcessUsage {
  return {
    cpuNs: after.cpuNs - before.cpuNs,
    userNs: after.userNs - before.userNs,
    sleeps: after.sleeps - before.sleeps,
  };
}

/** Resident bytes of the tree, from `smaps_rollup`: the counters in `statm` lag behind by design. */
export function readResidentBytes(pid: number): number {
  let bytes = 0;
  for (const process of processTree(pid)) {
    bytes += statusNumber(readFileSync(`/proc/${process}/smaps_rollup`, "utf8"), "Rss") * 1024;
  }
  return bytes;
}

/** The process and its descendants, parents first. */
export function processTree(pid: number): readonly number[] {
  const tree = [pid];
  for (const process of tree) {
    for (const thread of readdirSync(`/proc/${process}/task`)) {
      const children = readFileSync(`/proc/${process}/task/${thread}/children`, "utf8").trim();
      if (children !== "") tree.push(...children.split(" ").map(Number));
    }
  }
  return tree;
}

/** One tick of utime and stime is 10 ms on every Linux that Debian ships (USER_HZ, proc(5)). */
const tickNs = 10_000_000;

/** utime of a `stat` line. The command in brackets may hold spaces and brackets itself. */
export function userNanoseconds(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) * tickNs;
}

/** The number behind `name:` in a file like `/proc/PID/status`. */
export function statusNumber(text: string, name: string): number {
  const match = new RegExp(`^${name}:\\s*(\\d+)`, "m").exec(text);
  if (match === null) throw new Error(`no ${name} in a status file of /proc`);
  return Number(match[1]);
}
