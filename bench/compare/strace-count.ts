import { readFile } from "node:fs/promises";
import { PinnedProcess } from "./pinned-process.ts";
import { until } from "./settle.ts";

const attachWithinMs = 5000;

/**
 * Counts the system calls of processes and their threads, by name, while `work` runs, many times slower than without.
 * Undefined where strace is missing or may not attach.
 */
export async function countSystemCalls(
  pids: readonly number[],
  outputFile: string,
  cores: readonly number[],
  work: () => Promise<void>,
): Promise<ReadonlyMap<string, number> | undefined> {
  const args = ["-c", "-f", "-U", "name,calls", "-o", outputFile, ...pids.flatMap((pid) => ["-p", String(pid)])];
  const strace = new PinnedProcess({ command: "strace", args, cores });
  try {
    await until(
      "strace is attached",
      attachWithinMs,
      () => !strace.running || strace.stderr.split(" attached").length > pids.length,
    );
    if (!strace.running) return undefined;
    await work();
    strace.signal("SIGINT");
    await strace.ended;
    return parseStraceSummary(await readFile(outputFile, "utf8"));
  } finally {
    await strace.stop();
  }
}

/** Reads `strace -c -U name,calls`: lines of a name and a count between two rules; the total is left out. */
export function parseStraceSummary(text: string): ReadonlyMap<string, number> {
  const calls = new Map<string, number>();
  for (const line of text.split("\n")) {
    const match = /^\s*([a-z_]\w*)\s+(\d+)\s*$/.exec(line);
    if (match !== null && match[1] !== "total") calls.set(match[1] as string, Number(match[2]));
  }
  return calls;
}
