import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { ProxyHeaderOutcome } from "../../dataplane/hello/proxy-header.ts";
import { readProxyHeader } from "../../dataplane/hello/read-proxy-header.ts";
import { joinSocketAddress, type SocketAddress } from "../../model/address.ts";

export interface RecordedHeader {
  readonly outcome: ProxyHeaderOutcome;
  readonly bytes: Buffer;
  /** What came behind the header, so far. */
  rest: string;
  /** The connection's own peer, as address and port. */
  readonly peer: SocketAddress;
}

/** A server behind a balancer: it reads the PROXY header of each connection, and sends back what comes behind it. */
export class HeaderRecorder {
  readonly headers: RecordedHeader[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
    server.on("connection", (socket) => this.#record(socket));
  }

  static async listen(): Promise<HeaderRecorder> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    return new HeaderRecorder(server);
  }

  get address(): SocketAddress {
    return joinSocketAddress("127.0.0.1", (this.#server.address() as AddressInfo).port);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  #record(socket: Socket): void {
    const { remoteAddress, remotePort } = socket;
    socket.on("error", () => socket.destroy());
    // A check may be over, and reset, before it is accepted.
    if (remoteAddress === undefined || remotePort === undefined) {
      socket.destroy();
      return;
    }
    const peer = joinSocketAddress(remoteAddress, remotePort);
    this.#sockets.add(socket);
    let came = Buffer.alloc(0);
    let header: RecordedHeader | undefined;
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("data", (chunk: Buffer) => {
      if (header !== undefined) {
        header.rest += chunk.toString("latin1");
        socket.write(chunk);
        return;
      }
      came = Buffer.concat([came, chunk]);
      const outcome = readProxyHeader(came);
      if (outcome.outcome === "incomplete") return;
      const end = outcome.outcome === "complete" ? outcome.bytes : 0;
      const rest = came.subarray(end);
      header = { outcome, bytes: came.subarray(0, end), rest: rest.toString("latin1"), peer };
      this.headers.push(header);
      if (rest.length > 0) socket.write(rest);
    });
  }
}
