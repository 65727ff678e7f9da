import { once } from "node:events";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import { testCertificate } from "../support/test-certificate.ts";

/** An HTTPS server that names itself, in its certificate's CN and in every answer: `app1-a asked for app1.test`. */
export class WebServer {
  readonly name: string;
  readonly address: string;
  readonly #server: Server;

  private constructor(name: string, server: Server) {
    this.name = name;
    this.#server = server;
    this.address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async listen(name: string, port = 0): Promise<WebServer> {
    // It takes whatever protocol a client of the tests offers; the answer is HTTP/1.1 all the same.
    const options = { ...(await testCertificate(name)), ALPNProtocols: ["http/1.1", "h2", "x-special"] };
    const server = createServer(options, (request, response) => {
      const asked = (request.socket as TLSSocket).servername || "no name";
      response
        .writeHead(200, { "content-type": "text/plain", connection: "close" })
        .end(`${name} asked for ${asked}\n`);
    });
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return new WebServer(name, server);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}
