import { connect, createServer } from "node:net";
import type { PinnedProcess } from "./pinned-process.ts";

/** A port of 127.0.0.1 that was free a moment ago, for proxies that can't say which one they were given. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  if (address === null || typeof address === "string") throw new Error("a TCP server has a port");
  return address.port;
}

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

/** Whether something accepts connections on this port of 127.0.0.1. */
export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
