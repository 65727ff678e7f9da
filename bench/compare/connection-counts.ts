import { join } from "node:path";
import type { CorePlan } from "./core-plan.ts";
import { type RateResult, runLoad, Sink } from "./load-programs.ts";
import type { Sizes } from "./measure.ts";
import { countInstructions } from "./perf-stat.ts";
import { processTree } from "./process-usage.ts";
import { LiveTarget } from "./rounds.ts";
import { countSystemCalls } from "./strace-count.ts";
import type { Target } from "./target.ts";

/** What one short connection costs, counted, not timed. Absent where the machine does not allow the counting. */
export interface ConnectionCounts {
  readonly instructionsUser?: number;
  readonly instructionsKernel?: number;
  readonly systemCalls?: number;
  /** By name, most frequent first; those below one in fifty connections left out. */
  readonly systemCallsByName?: Readonly<Record<string, number>>;
  readonly failure?: string;
}

export interface CountsPlan {
  readonly cores: CorePlan;
  readonly sizes: Sizes;
  readonly directory: string;
}

const servers = 4;
const rareCalls = 0.02;

/** Counts for one target, in a process of its own. Under strace fewer connections do, and at few at a time. */
export async function takeCounts(target: Target, plan: CountsPlan): Promise<ConnectionCounts> {
  const sink = await Sink.start(servers, plan.cores.sink);
  let live: LiveTarget | undefined;
  try {
    live = await LiveTarget.start(target, plan, sink);
    const { pid, ports } = live.running;
    if (pid === undefined) return {};
    const connections = plan.sizes.countedConnections;
    const load = async (count: number, concurrency: number): Promise<void> => {
      await runLoad<RateResult>("rate", ports, { seconds: 60, connections: count, concurrency }, plan.cores.load);
    };
    await load(Math.min(connections, 2000), 16);
    const pids = processTree(pid);
    const instructions = await countInstructions(pids, join(plan.directory, "perf.txt"), plan.cores.load, () =>
      load(connections, 16),
    );
    const traced = Math.max(500, Math.floor(connections / 4));
    const calls = await countSystemCalls(pids, join(plan.directory, "strace.txt"), plan.cores.load, () =>
      load(traced, 16),
    );
    return {
      ...(instructions && {
        instructionsUser: instructions.user / connections,
        instructionsKernel: instructions.kernel / connections,
      }),
      ...(calls && perConnection(calls, traced)),
    };
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) };
  } finally {
    await live?.stop();
    await sink.stop();
  }
}

function perConnection(
  calls: ReadonlyMap<string, number>,
  connections: number,
): Pick<ConnectionCounts, "systemCalls" | "systemCallsByName"> {
  const entries = [...calls].map(([name, count]) => [name, count / connections] as const);
  const frequent = entries.filter(([, count]) => count >= rareCalls).toSorted((one, other) => other[1] - one[1]);
  return {
    systemCalls: entries.reduce((sum, [, count]) => sum + count, 0),
    systemCallsByName: Object.fromEntries(frequent.map(([name, count]) => [name, Number(count.toFixed(3))])),
  };
}
