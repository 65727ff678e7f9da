import type { Socket } from "node:net";
import type { SpliceEnd } from "../../model/reason.ts";
import { endedByReset } from "./socket-handle.ts";

export interface SpliceTimeouts {
  readonly clientIdleTimeoutMs: number;
  readonly serverIdleTimeoutMs: number;
  readonly halfCloseTimeoutMs: number;
}

/** Bytes of the stream that were read from each side. */
export interface SpliceCounts {
  bytesFromClient: number;
  bytesFromServer: number;
}

export interface SpliceDeadline {
  readonly dueMs: number;
  readonly reason: SpliceEnd;
}

/** One side: its socket, and what was seen there. Times are of the monotonic clock. */
interface Side {
  readonly socket: Socket;
  /** Of the last byte, in either direction. */
  activeMs: number;
  /** Its FIN has come. */
  ended: boolean;
}

/**
 * Moves bytes between two connected sockets until both sides have ended their streams. It only ever pauses what it
 * can't pass on; errors and the sockets' ends are the owner's to hear.
 */
export class Splice {
  readonly #client: Side;
  readonly #server: Side;
  readonly #timeouts: SpliceTimeouts;
  readonly #counts: SpliceCounts;
  readonly #halfClosed: () => void;
  #halfClosedMs = Number.POSITIVE_INFINITY;

  /**
   * @param counts is added to
   * @param halfClosed is called when the first side ends its stream: the deadline may have come nearer
   */
  constructor(client: Socket, server: Socket, timeouts: SpliceTimeouts, counts: SpliceCounts, halfClosed: () => void) {
    const nowMs = performance.now();
    this.#client = { socket: client, activeMs: nowMs, ended: false };
    this.#server = { socket: server, activeMs: nowMs, ended: false };
    this.#timeouts = timeouts;
    this.#counts = counts;
    this.#halfClosed = halfClosed;
  }

  /**
   * Sends the server what it is owed so far, then lets everything flow.
   * @param owed in order; the engine's own from now on
   * @param tap sees what the server sends, after it was passed on; valid during the call only
   */
  start(owed: readonly Uint8Array[], tap: (bytes: Uint8Array) => void): void {
    const server = this.#server.socket;
    server.cork();
    for (const bytes of owed) if (bytes.length > 0) server.write(bytes);
    server.uncork();
    this.#pump(this.#client, this.#server, (chunk) => {
      this.#counts.bytesFromClient += chunk.length;
    });
    this.#pump(this.#server, this.#client, (chunk) => {
      this.#counts.bytesFromServer += chunk.length;
      tap(chunk);
    });
    if (server.writableNeedDrain) this.#client.socket.pause();
    else this.#client.socket.resume();
    if (this.#client.socket.readableEnded) this.#end(this.#client, this.#server);
  }

  /** The time that comes first, of those which run. */
  deadline(): SpliceDeadline {
    const { clientIdleTimeoutMs, serverIdleTimeoutMs, halfCloseTimeoutMs } = this.#timeouts;
    const clientDueMs = this.#client.activeMs + clientIdleTimeoutMs;
    const serverDueMs = this.#server.activeMs + serverIdleTimeoutMs;
    const halfDueMs = this.#lastOfOpenSideMs() + halfCloseTimeoutMs;
    if (halfDueMs <= clientDueMs && halfDueMs <= serverDueMs) return { dueMs: halfDueMs, reason: "half_close_timeout" };
    return clientDueMs <= serverDueMs
      ? { dueMs: clientDueMs, reason: "client_idle" }
      : { dueMs: serverDueMs, reason: "server_idle" };
  }

  /** When the side that has not ended was active last; Infinity while neither has. With both ended, bytes still drain. */
  #lastOfOpenSideMs(): number {
    if (!this.#client.ended && !this.#server.ended) return Number.POSITIVE_INFINITY;
    const clientMs = this.#client.ended && !this.#server.ended ? 0 : this.#client.activeMs;
    const serverMs = this.#server.ended && !this.#client.ended ? 0 : this.#server.activeMs;
    return Math.max(this.#halfClosedMs, clientMs, serverMs);
  }

  #pump(from: Side, to: Side, passed: (bytes: Uint8Array) => void): void {
    const written = (): void => {
      to.activeMs = performance.now();
    };
    from.socket.on("data", (chunk: Buffer) => {
      from.activeMs = performance.now();
      if (!to.socket.write(chunk, written)) from.socket.pause();
      passed(chunk);
    });
    to.socket.on("drain", () => from.socket.resume());
    from.socket.on("end", () => {
      if (endedByReset(from.socket)) from.socket.destroy(new Error("the peer has reset the connection"));
      else this.#end(from, to);
    });
  }

  #end(from: Side, to: Side): void {
    from.ended = true;
    to.socket.end();
    if (this.#halfClosedMs !== Number.POSITIVE_INFINITY) return;
    this.#halfClosedMs = performance.now();
    this.#halfClosed();
  }
}
