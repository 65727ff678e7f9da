import { once } from "node:events";
import { connect, type TLSSocket } from "node:tls";
import { waitFor } from "../support/wait-for.ts";

/** A TLS connection that stands, to a server that names itself. */
export class TlsClient {
  readonly socket: TLSSocket;
  received = "";
  /** An end that the test did not cause shows here. */
  closed = false;

  private constructor(socket: TLSSocket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.received += chunk.toString();
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      this.closed = true;
    });
  }

  /** Without a name the client announces none. Rejects with the alert, as OpenSSL words it, or the socket's error. */
  static async connect(port: number, serverName: string | undefined, alpn: readonly string[] = []): Promise<TlsClient> {
    const named = serverName === undefined ? {} : { servername: serverName };
    const ALPNProtocols = [...alpn];
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false, ALPNProtocols, ...named });
    await once(socket, "secureConnect");
    const client = new TlsClient(socket);
    await waitFor("the server's greeting", () => client.received.endsWith("\n") || client.closed);
    return client;
  }

  /** The name that the server gave: `web-a`. */
  get server(): string {
    return this.received.slice(0, this.received.indexOf(" ready\n"));
  }

  /** Sends a word and waits for its echo: the connection lives. */
  async echoes(word: string): Promise<void> {
    this.socket.write(word);
    await waitFor(`the echo of ${word}`, () => this.received.endsWith(word) || this.closed);
    if (this.closed) throw new Error(`the connection to ${this.server} was lost`);
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.socket.end();
    await waitFor("the end of the connection", () => this.closed);
  }
}

/** The server that answers a new connection, or why none did. */
export async function whoAnswers(port: number, serverName: string | undefined): Promise<string> {
  try {
    const client = await TlsClient.connect(port, serverName);
    await client.close();
    return client.server;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code ?? message;
  }
}
