import { accepts } from "../../test/support/free-port.ts";
import type { PinnedProcess } from "./pinned-process.ts";

const readyWithinMs = 5000;
const retryMs = 5;

/** Resolves when the process accepts connections on the port; rejects where it ends first, with what it said. */
export async function untilListening(process: PinnedProcess, port: number): Promise<void> {
  const deadline = performance.now() + readyWithinMs;
  while (performance.now() < deadline) {
    if (!process.running) throw new Error(`did not start: ${process.stderr}`);
    if (await accepts(port)) return;
    await new Promise((resolve) => setTimeout(resolve, retryMs));
  }
  throw new Error(`does not listen after ${readyWithinMs} ms: ${process.stderr}`);
}
