import {
  type ConnectionOptions,
  connect,
  createSecureContext,
  type SecureContext,
  type SecureContextOptions,
} from "node:tls";
import type { ResumptionMode } from "./tls-farm.ts";

/** How clients of a mode do TLS. To make one costs as much as a handshake. */
export function clientContext(mode: ResumptionMode, more: SecureContextOptions = {}): SecureContext {
  const version = mode === "tls13-tickets" ? "TLSv1.3" : "TLSv1.2";
  return createSecureContext({ minVersion: version, maxVersion: version, ...more });
}

/** Where a client connects to. */
export interface Edge {
  readonly host: string;
  readonly port: number;
}

export interface Visit {
  /** The client had a session to offer. */
  readonly offered: boolean;
  /** By the client's own word. */
  readonly resumed: boolean;
  readonly answer: string;
}

/**
 * A client with a session store of its own: it offers the newest session that it was given, and in TLS 1.3 each ticket only
 * once, as browsers do (RFC 8446 appendix C.4). Where a server gives no new ticket to a client that resumed, as Node's
 * does not, such a client runs out of them, and makes a full handshake again.
 */
export class ReturningClient {
  readonly #options: ConnectionOptions;
  readonly #once: boolean;
  /** The newest last. */
  readonly #sessions: Buffer[] = [];

  /** @param secureContext of {@link clientContext}; clients may share it, as their sessions are not in it */
  constructor(serverName: string, mode: ResumptionMode, secureContext: SecureContext) {
    this.#options = { servername: serverName, rejectUnauthorized: false, secureContext };
    this.#once = mode === "tls13-tickets";
  }

  /** One request. Fails where there is no whole answer. */
  async visit({ host, port }: Edge): Promise<Visit> {
    const session = this.#once ? this.#sessions.pop() : this.#sessions.at(-1);
    const offer = session === undefined ? {} : { session };
    const socket = connect({ ...this.#options, ...offer, host, port });
    return new Promise((resolve, reject) => {
      let answer = "";
      let resumed: boolean | undefined;
      socket.on("session", (given: Buffer) => this.#sessions.push(given));
      socket.on("secureConnect", () => {
        resumed = socket.isSessionReused();
        socket.write("GET / HTTP/1.0\r\nHost: affinity.test\r\n\r\n");
      });
      socket.on("data", (chunk: Buffer) => (answer += chunk.toString("latin1")));
      let failure: Error | undefined;
      socket.on("error", (error: Error) => (failure = error));
      socket.on("close", () => {
        if (resumed !== undefined && answer !== "") resolve({ offered: session !== undefined, resumed, answer });
        else reject(new Error(`no answer from ${host}:${port}`, { cause: failure }));
      });
    });
  }
}
