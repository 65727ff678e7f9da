import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect as tlsConnect, createServer, type Server, type TLSSocket } from "node:tls";
import type { AddressInfo } from "node:net";
import { edgePort, type RealNode } from "./real-fleet.ts";
import { testCertificate } from "../support/test-certificate.ts";

/** A TLS server that sends back what it hears. */
export class EchoServer {
  readonly address: string;
  readonly #server: Server;
  readonly #sockets = new Set<TLSSocket>();

  private constructor(server: Server) {
    this.#server = server;
    const { address, port } = server.address() as AddressInfo;
    this.address = `${address}:${port}`;
    server.on("secureConnection", (socket) => {
      this.#sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => this.#sockets.delete(socket));
      socket.pipe(socket);
    });
    server.on("tlsClientError", () => undefined);
  }

  /** `host` is an address of this machine. */
  static async listen(host: string, name: string): Promise<EchoServer> {
    const server = createServer(await testCertificate(name));
    server.listen(0, host);
    await once(server, "listening");
    return new EchoServer(server);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }
}

/**
 * One message there and back on a new connection; gives the name in the certificate of the server that answered. Rejects with
 * what went wrong.
 */
export async function echoOnce({ host }: RealNode, name: string): Promise<string> {
  const socket = connectTo(host.address, name);
  try {
    await once(socket, "secureConnect");
    await exchange(socket);
    return String(socket.getPeerCertificate().subject.CN);
  } finally {
    socket.destroy();
  }
}

/** A connection that exchanges messages without a pause until it is closed; its first failure stays. */
export class LongConnection {
  exchanged = 0;
  failure: Error | undefined;
  readonly #socket: TLSSocket;
  #closing = false;
  readonly #running: Promise<void>;

  private constructor(socket: TLSSocket) {
    this.#socket = socket;
    this.#running = this.#run();
  }

  static async open({ host }: RealNode, name: string): Promise<LongConnection> {
    const socket = connectTo(host.address, name);
    await once(socket, "secureConnect");
    return new LongConnection(socket);
  }

  async close(): Promise<void> {
    this.#closing = true;
    await this.#running;
    this.#socket.destroy();
  }

  async #run(): Promise<void> {
    try {
      while (!this.#closing) {
        await exchange(this.#socket);
        this.exchanged += 1;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    } catch (error) {
      this.failure = error instanceof Error ? error : new Error(String(error));
    }
  }
}

function connectTo(host: string, servername: string): TLSSocket {
  return tlsConnect({ host, port: edgePort, servername, rejectUnauthorized: false });
}

async function exchange(socket: TLSSocket): Promise<void> {
  const sent = randomBytes(256);
  socket.write(sent);
  let received = Buffer.alloc(0);
  while (received.length < sent.length) {
    const chunk = await nextChunk(socket);
    received = Buffer.concat([received, chunk]);
  }
  if (!received.equals(sent)) throw new Error("what came back is not what was sent");
}

function nextChunk(socket: TLSSocket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const clear = (): void => {
      socket.off("data", data);
      socket.off("close", close);
      socket.off("error", fail);
    };
    const data = (chunk: Buffer): void => {
      clear();
      resolve(chunk);
    };
    const close = (): void => {
      clear();
      reject(new Error("the connection was closed"));
    };
    const fail = (error: Error): void => {
      clear();
      reject(error);
    };
    socket.once("data", data);
    socket.once("close", close);
    socket.once("error", fail);
  });
}
