import type { SocketAddress } from "../../model/address.ts";
import type { CloseReason } from "../../model/reason.ts";
import type { ClosedConnection, ConnectionId } from "./engine.ts";

/** What will be told of a connection at its end, gathered on the way. Spans are measured by the monotonic clock. */
export class ConnectionJournal {
  readonly acceptedMs = performance.now();
  /** Of the last verdict. */
  context: unknown = undefined;
  connectAttempts = 0;
  bytesFromClient = 0;
  bytesFromServer = 0;
  readonly #acceptedAtMs = Date.now();
  #helloMs = -1;
  #decidedMs = -1;
  #connectMs = -1;

  /** The handler has answered for the first time. */
  decided(helloComplete: boolean): void {
    this.#decidedMs = performance.now();
    if (helloComplete) this.#helloMs = this.#decidedMs - this.acceptedMs;
  }

  connected(): void {
    this.#connectMs = performance.now() - this.#decidedMs;
  }

  record(id: ConnectionId, listener: string, source: SocketAddress, reason: CloseReason): ClosedConnection {
    return {
      id,
      listener,
      source,
      reason,
      context: this.context,
      acceptedAtMs: this.#acceptedAtMs,
      helloMs: this.#helloMs,
      connectMs: this.#connectMs,
      totalMs: performance.now() - this.acceptedMs,
      connectAttempts: this.connectAttempts,
      bytesFromClient: this.bytesFromClient,
      bytesFromServer: this.bytesFromServer,
    };
  }
}
