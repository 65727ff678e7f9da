import { readFile } from "node:fs/promises";
import { PinnedProcess } from "./pinned-process.ts";

/** Instructions in user mode and in the kernel. */
export interface Instructions {
  readonly user: number;
  readonly kernel: number;
}

const attachMs = 300;

/**
 * Counts the instructions of a process and its threads while `work` runs. Undefined where the machine has no counters to
 * give (most virtual machines) or perf is missing. `pids` are processes that live already: perf attaches to each.
 */
export async function countInstructions(
  pids: readonly number[],
  outputFile: string,
  cores: readonly number[],
  work: () => Promise<void>,
): Promise<Instructions | undefined> {
  const args = ["stat", "-x", ",", "-o", outputFile, "-e", "instructions:u,instructions:k", "-p", pids.join(",")];
  const perf = new PinnedProcess({ command: "perf", args, cores });
  try {
    // perf has no word for "attached"; it writes nothing before its end.
    await Promise.race([perf.ended, new Promise((resolve) => setTimeout(resolve, attachMs))]);
    if (!perf.running) return undefined;
    await work();
    perf.signal("SIGINT");
    await perf.ended;
    return parsePerfStat(await readFile(outputFile, "utf8"));
  } finally {
    await perf.stop();
  }
}

/** Reads `perf stat -x ,`: the count is the first field, the event the third; undefined where it was not counted. */
export function parsePerfStat(text: string): Instructions | undefined {
  const counts = new Map<string, number>();
  for (const line of text.split("\n")) {
    const fields = line.split(",");
    const count = Number(fields[0]);
    if (line.startsWith("#") || fields[2] === undefined || fields[0] === "" || Number.isNaN(count)) continue;
    counts.set(fields[2], count);
  }
  const user = counts.get("instructions:u");
  const kernel = counts.get("instructions:k");
  return user === undefined || kernel === undefined ? undefined : { user, kernel };
}
