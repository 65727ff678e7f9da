import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Registry } from "prom-client";
import { type SocketAddress, splitSocketAddress } from "../../model/address.ts";
import { CliFailure } from "../cli-failure.ts";
import { exitCode } from "../exit-code.ts";

/** What the process says about itself. */
export interface OpsState {
  readonly registry: Registry;
  /** Why it is not ready to serve; empty when it is. */
  readonly unready: () => readonly string[];
}

/** Starts it; a failure is one line for the operator. */
export async function listenOps(address: SocketAddress, state: OpsState): Promise<OpsServer> {
  try {
    return await OpsServer.listen(address, state);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CliFailure(exitCode.failed, `health and metrics can't listen on ${address}: ${why}`);
  }
}

/** HTTP for machines: `/healthz` (the process runs), `/readyz` (it serves), `/metrics` (Prometheus text format). */
export class OpsServer {
  readonly port: number;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  /** @throws the system's error, where the address can't be bound */
  static async listen(address: SocketAddress, state: OpsState): Promise<OpsServer> {
    const server = createServer((request, response) => {
      answer(request.url ?? "/", request.method ?? "GET", state).then(
        ({ status, type, body }) => response.writeHead(status, { "content-type": type }).end(body),
        (error: unknown) => response.writeHead(500, { "content-type": "text/plain" }).end(`${String(error)}\n`),
      );
    });
    server.headersTimeout = 5000;
    server.requestTimeout = 10_000;
    server.maxConnections = 256;
    const { host, port } = splitSocketAddress(address);
    await new Promise<void>((resolve, reject) => {
      server.once("error", (error) =>
        reject(new Error(`health and metrics can't listen on ${address}: ${error.message}`)),
      );
      server.listen(port, host, resolve);
    });
    return new OpsServer(server);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

async function answer(url: string, method: string, state: OpsState): Promise<Answer> {
  if (method !== "GET" && method !== "HEAD") return text(405, "only GET");
  switch (url.split("?")[0]) {
    case "/healthz":
      return text(200, "ok");
    case "/readyz": {
      const unready = state.unready();
      return unready.length === 0 ? text(200, "ready") : text(503, unready.join("\n"));
    }
    case "/metrics":
      return { status: 200, type: state.registry.contentType, body: await state.registry.metrics() };
    default:
      return text(404, "there are /healthz, /readyz and /metrics");
  }
}

function text(status: number, body: string): Answer {
  return { status, type: "text/plain; charset=utf-8", body: `${body}\n` };
}
