import { untilListening } from "./listening.ts";
import { PinnedProcess } from "./pinned-process.ts";
import type { RunningTarget } from "./target.ts";

/** Starts another proxy on its cores and waits until it listens; one that does not come up is stopped again. */
export async function startPeer(
  program: ConstructorParameters<typeof PinnedProcess>[0],
  port: number,
): Promise<RunningTarget> {
  const process = new PinnedProcess(program);
  try {
    await untilListening(process, port);
  } catch (error) {
    await process.stop();
    throw error;
  }
  return { ports: [port], pid: process.pid, stop: () => process.stop() };
}
