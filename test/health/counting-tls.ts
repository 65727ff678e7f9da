import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { createServer, type Server, type TLSSocket, type TlsOptions } from "node:tls";
import { joinSocketAddress, type SocketAddress } from "../../model/address.ts";
import { testCertificate } from "../support/test-certificate.ts";

/** A TLS server that keeps all its connections, to be counted. */
export class CountingTls {
  readonly address: SocketAddress;
  readonly server: Server;
  readonly connections: TLSSocket[] = [];
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.server = server;
    this.address = joinSocketAddress("127.0.0.1", (server.address() as AddressInfo).port);
    server.on("secureConnection", (socket: TLSSocket) => {
      this.connections.push(socket);
      socket.on("error", () => socket.destroy());
      socket.resume();
    });
    server.on("connection", (socket: Socket) => this.#sockets.add(socket));
    server.on("tlsClientError", (_, socket) => socket.destroy());
  }

  static async listen(options: TlsOptions = {}): Promise<CountingTls> {
    const server = createServer({ ...(await testCertificate("a.test")), ...options });
    server.listen({ host: "127.0.0.1", port: 0 });
    await once(server, "listening");
    return new CountingTls(server);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.server.close();
    await once(this.server, "close");
  }
}
