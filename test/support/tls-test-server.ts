import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer, type Server, type TLSSocket, type TlsOptions } from "node:tls";
import { joinSocketAddress, type SocketAddress } from "../../model/address.ts";
import { testCertificate } from "./test-certificate.ts";

/**
 * A real TLS server that names itself: its certificate's CN is its name, its greeting is `<name> ready` on a line, and
 * then it sends back what it gets. It speaks first, as IMAP servers do.
 */
export class TlsTestServer {
  readonly name: string;
  readonly cert: string;
  readonly address: SocketAddress;
  readonly #server: Server;
  readonly #sockets = new Set<TLSSocket>();

  private constructor(name: string, cert: string, server: Server) {
    this.name = name;
    this.cert = cert;
    this.#server = server;
    const { address, port } = server.address() as AddressInfo;
    this.address = joinSocketAddress(address, port);
    server.on("secureConnection", (socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
      socket.on("error", () => socket.destroy());
      socket.write(`${name} ready\n`);
      socket.pipe(socket);
    });
  }

  static async listen(name: string, options: TlsOptions = {}): Promise<TlsTestServer> {
    const certificate = await testCertificate(name);
    const server = createServer({ ...certificate, ...options });
    server.listen({ host: "127.0.0.1", port: 0 });
    await once(server, "listening");
    return new TlsTestServer(name, certificate.cert, server);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }
}
