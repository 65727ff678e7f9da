import { type ResourceLimits, Worker } from "node:worker_threads";
import type { ProbeReport } from "./probe-messages.ts";
import type { StartProbeThread } from "./probe-thread.ts";

/** What the thread may hold of V8's memory. Contexts of TLS are OpenSSL's, and not in it. */
const defaultLimits: ResourceLimits = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 16 };

/** A thread that does not end by itself in this time is ended. */
const closeWithinMs = 1000;

export interface WorkerOptions {
  /** JavaScript, as Node 20 loads nothing else into a thread: the built `probe-worker.js`. */
  readonly entry?: URL;
  readonly resourceLimits?: ResourceLimits;
}

/** The thread as one of Node's workers. */
export function workerProbeThread({
  entry = new URL("./probe-worker.js", import.meta.url),
  resourceLimits = defaultLimits,
}: WorkerOptions = {}): StartProbeThread {
  return (events) => {
    const worker = new Worker(entry, { name: "health checks", resourceLimits });
    let why: string | undefined;
    let isClosing = false;
    worker.on("message", (reports: readonly ProbeReport[]) => events.reports(reports));
    worker.on("error", (error: unknown) => (why ??= words(error)));
    // By hand, as `once` of node:events rejects at the error before it.
    const exited = new Promise<void>((resolve) => {
      worker.on("exit", (code) => {
        resolve();
        if (!isClosing) events.died(why ?? `it ended with code ${code}`);
      });
    });
    return {
      post: (orders) => worker.postMessage(orders, []),
      close: async () => {
        isClosing = true;
        const late = setTimeout(() => void worker.terminate(), closeWithinMs);
        await exited;
        clearTimeout(late);
      },
    };
  };
}

function words(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return "code" in error && typeof error.code === "string" ? `${error.code}: ${error.message}` : error.message;
}
