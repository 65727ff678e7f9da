/** The thread that checks servers: it is started by `worker-probe-thread.ts`, and ends when its port is closed. */
import { parentPort } from "node:worker_threads";
import { ProbeHost } from "./probe-host.ts";
import type { ProbeOrder } from "./probe-messages.ts";

const port = parentPort;
if (port === null) throw new Error("this is a thread's file, and not a program");
const host = new ProbeHost(
  (reports) => port.postMessage(reports),
  () => port.close(),
);
port.on("message", (orders: readonly ProbeOrder[]) => host.take(orders));
