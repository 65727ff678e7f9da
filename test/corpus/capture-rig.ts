import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server } from "node:net";

/** What both capture programs run on: a recorder on the loopback, a certificate, and the form of their files. */

/** What went over one connection. */
export interface RecordedConnection {
  /** What the client sent before it was answered. */
  client: Buffer;
  /** All that the server sent. */
  server: Buffer;
}

/** Passes connections on, and keeps what was sent. */
export class Recorder {
  readonly flights: RecordedConnection[] = [];
  readonly #servers: Server[] = [];

  /** @returns the port that leads to `serverPort` */
  async listen(serverPort: number): Promise<number> {
    const server = createServer((client) => {
      const flight: RecordedConnection = { client: Buffer.alloc(0), server: Buffer.alloc(0) };
      this.flights.push(flight);
      const upstream = connect(serverPort, "127.0.0.1");
      client.on("data", (chunk: Buffer) => {
        if (flight.server.length === 0) flight.client = Buffer.concat([flight.client, chunk]);
        upstream.write(chunk);
      });
      upstream.on("data", (chunk: Buffer) => {
        flight.server = Buffer.concat([flight.server, chunk]);
        client.write(chunk);
      });
      for (const [from, to] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        from.on("end", () => to.end());
        from.on("error", () => to.destroy());
      }
    });
    this.#servers.push(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  }

  close(): void {
    for (const server of this.#servers) server.close();
  }
}

/** A P-256 certificate for two days, as `key` and `cert` in the directory. */
export function makeCertificate(cwd: string): void {
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const options = ["-days", "2", "-subj", "/CN=*.example.test", "-keyout", "key", "-out", "cert"];
  execFileSync("openssl", ["req", "-x509", ...key, ...options], { cwd, stdio: "ignore" });
}

/**
 * Runs to its end, however it ends: some clients fail after the hello, and the hello is what counts.
 * @returns what it printed
 */
export async function shell(command: string, cwd: string): Promise<string> {
  const child = spawn("/bin/sh", ["-c", command], { cwd, stdio: ["ignore", "pipe", "ignore"] });
  const output: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
  await once(child, "close");
  return Buffer.concat(output).toString("latin1");
}

/** A file of `captured/`: comments, then the bytes in hex. */
export function hexLines(comments: readonly string[], bytes: Buffer): string {
  const lines = bytes.toString("hex").match(/.{1,96}/g) ?? [];
  return `${[...comments.map((comment) => `# ${comment}`), ...lines].join("\n")}\n`;
}
