import { createInterface } from "node:readline";
import { connect, createServer, type Server, type TLSSocket } from "node:tls";
import { generate } from "selfsigned";
import type { AddressInfo } from "node:net";

/**
 * Both ends of real TLS in one process: servers, whose ports it prints, and a client that makes handshakes when told to,
 * one after the other. What a proxy between adds to a handshake's time is then the difference to none.
 */
export interface HandshakesCommand {
  readonly port: number;
  readonly name: string;
  readonly handshakes: number;
}

const servers = 4;
const handshakeTimeoutMs = 5000;

async function listen(): Promise<readonly number[]> {
  const pems = await generate([{ name: "commonName", value: "bench.test" }], { keyType: "ec", curve: "P-256" });
  const ports: number[] = [];
  for (let index = 0; index < servers; index += 1) {
    const server: Server = createServer({ key: pems.private, cert: pems.cert });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, "127.0.0.1", resolve);
    });
    ports.push((server.address() as AddressInfo).port);
  }
  return ports;
}

/** Microseconds from connect to the finished handshake. Rejects where it fails, or takes too long. */
function handshake(port: number, name: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    // The certificate is made anew each time: what is measured is the path, not trust.
    const socket: TLSSocket = connect({ host: "127.0.0.1", port, servername: name, rejectUnauthorized: false });
    socket.setTimeout(handshakeTimeoutMs, () => socket.destroy(new Error("a handshake timed out")));
    socket.once("error", reject);
    socket.once("secureConnect", () => {
      const microseconds = (performance.now() - startedAt) * 1000;
      socket.once("close", () => resolve(microseconds));
      socket.end();
    });
  });
}

async function run(): Promise<void> {
  process.stdout.write(`${JSON.stringify({ event: "listening", ports: await listen() })}\n`);
  for await (const line of createInterface({ input: process.stdin })) {
    const command = JSON.parse(line) as HandshakesCommand;
    const microseconds: number[] = [];
    try {
      for (let count = 0; count < command.handshakes; count += 1) {
        microseconds.push(await handshake(command.port, command.name));
      }
      process.stdout.write(`${JSON.stringify({ event: "shaken", microseconds })}\n`);
    } catch (error) {
      process.stdout.write(`${JSON.stringify({ event: "failed", failure: String(error) })}\n`);
    }
  }
  process.exit(0);
}

await run();
