import { createServer, type Server } from "node:https";
import type { TLSSocket } from "node:tls";
import { CliFailure } from "../cli-failure.ts";
import { exitCode } from "../exit-code.ts";
import type { KeyPair } from "./demo-certificates.ts";

/** One of the demo's TLS servers: it answers every request with who it is, and how it was reached. */
export async function startDemoServer(id: string, port: number, pair: KeyPair): Promise<Server> {
  const server = createServer({ key: pair.key, cert: pair.cert }, (request, response) => {
    const socket = request.socket as TLSSocket;
    // Node reports false where the client announced no name.
    const name = socket.servername ? `the name ${socket.servername}` : "no name";
    const resumed = socket.isSessionReused() ? ", resumed" : "";
    response.writeHead(200, { "content-type": "text/plain", connection: "close" });
    response.end(`${id}: reached by ${name}, ${socket.getProtocol()}${resumed}\n`);
  });
  server.on("tlsClientError", () => undefined);
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      reject(
        new CliFailure(exitCode.failed, `the demo's server ${id} can't listen on 127.0.0.1:${port}: ${error.message}`),
      );
    });
    server.listen(port, "127.0.0.1", resolve);
  });
  return server;
}
