import { existsSync } from "node:fs";
import { Backoff } from "../../dataplane/feed/backoff.ts";
import type { StartProbeThread } from "../../dataplane/health/thread/probe-thread.ts";
import { ThreadProber, type ThreadProberParts } from "../../dataplane/health/thread/thread-prober.ts";
import { workerProbeThread } from "../../dataplane/health/thread/worker-probe-thread.ts";

/** As it was built: Node 20 loads no TypeScript into a thread. */
export const builtEntry = new URL("../../dist/dataplane/health/thread/probe-worker.js", import.meta.url);

/** A prober with a thread that is as in production, but for what the test is about. A death that was not expected is an error. */
export function threadProber(parts: Partial<ThreadProberParts> = {}): ThreadProber {
  if (!existsSync(builtEntry)) throw new Error("dist/ is missing: npx tsc -p tsconfig.build.json");
  return new ThreadProber({
    startThread: workerProbeThread({ entry: builtEntry }),
    backoff: new Backoff(1, 1, Math.random),
    nowMs: () => performance.now(),
    onDeath: (why) => {
      throw new Error(`the thread of checks died: ${why}`);
    },
    ...parts,
  });
}

/** A thread with such a program, in a JavaScript of its own. */
export function programThread(program: string): StartProbeThread {
  return workerProbeThread({ entry: new URL(`data:text/javascript,${encodeURIComponent(program)}`) });
}
