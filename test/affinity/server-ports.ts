import { once } from "node:events";
import { createServer } from "node:net";

/** Below the ports that the kernel gives to clients (32768 and up), so that no connection takes one before its server does. */
const [lowest, count] = [12_000, 18_000];

/** Other processes begin elsewhere. */
let next = (process.pid * 131) % count;

/**
 * Ports that nobody listens on, on any address; each is given out once. Several stacks start at the same time, and one of
 * them (gnutls-serv) binds its port on all addresses: a port given twice would be served by the wrong one.
 */
export async function serverPorts(wanted: number): Promise<readonly number[]> {
  const ports: number[] = [];
  while (ports.length < wanted) {
    const port = lowest + next;
    next = (next + 1) % count;
    if (await isFree(port)) ports.push(port);
  }
  return ports;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const isBound = new Promise<boolean>((resolve) => {
    server.once("error", () => resolve(false));
    server.listen({ port, host: "0.0.0.0", exclusive: true }, () => resolve(true));
  });
  if (!(await isBound)) return false;
  await once(server.close(), "close");
  return true;
}
