import { asciiText } from "../../model/server-name.ts";

/** As HAProxy's stick table in the comparison: `size 30k`. */
const entriesMax = 30_000;

/** Offsets of a hello in one record: record header 5, handshake header 4, version 2, random 32 (RFC 5246 section 7.4.1). */
const sessionIdLengthOffset = 43;
const sessionIdOffset = 44;

/**
 * Affinity by TLS 1.2 session id for the bench's target: learnt from ServerHellos, looked up by ClientHellos, the entry
 * that was learnt first dropped for the newest.
 */
export class SessionTable<Server> {
  readonly #servers = new Map<string, Server>();

  get size(): number {
    return this.#servers.size;
  }

  find(sessionId: Uint8Array): Server | undefined {
    if (sessionId.length === 0) return undefined;
    return this.#servers.get(asciiText(sessionId, 0, sessionId.length));
  }

  /** Learns from a server's first bytes; anything but a whole ServerHello with a session id teaches nothing. */
  learn(serverBytes: Uint8Array, server: Server): void {
    const length = serverBytes[sessionIdLengthOffset];
    if (serverBytes[0] !== 22 || serverBytes[5] !== 2 || length === undefined || length === 0 || length > 32) return;
    if (serverBytes.length < sessionIdOffset + length) return;
    const id = asciiText(serverBytes, sessionIdOffset, sessionIdOffset + length);
    if (this.#servers.has(id)) return;
    if (this.#servers.size >= entriesMax) {
      const oldest = this.#servers.keys().next();
      if (oldest.done !== true) this.#servers.delete(oldest.value);
    }
    this.#servers.set(id, server);
  }
}
