import type { Socket } from "node:net";
import type { CloseReason } from "../../model/reason.ts";
import type { ConnectVerdict } from "./engine.ts";
import type { Greeting } from "./greeting.ts";
import type { Splice } from "./splice.ts";

/**
 * Where a connection of the portable engine is in its life.
 *
 *     hello -> dialling -> spliced -> ended
 *       |       | ^  |                 ^ ^
 *       |       +-+  +-> lingering ----+ |
 *       +-----------------^              |
 *       +--------------------------------+   (from every phase)
 *
 *     hello, dialling -> waiting -> dialling, lingering
 */
export type ConnectionState =
  /** The client sends its hello, behind a PROXY header where there is one. */
  | { readonly phase: "hello"; readonly greeting: Greeting }
  /** The handler will answer later. */
  | { readonly phase: "waiting" }
  /** An attempt to reach a server is under way; a failed one leads here again. */
  | {
      readonly phase: "dialling";
      readonly verdict: ConnectVerdict;
      readonly server: Socket;
      /** Of the monotonic clock. */
      readonly dueMs: number;
    }
  /** Bytes flow both ways. */
  | { readonly phase: "spliced"; readonly server: Socket; readonly splice: Splice }
  /**
   * Rejected: the alert and our FIN are sent, and the client's input is thrown away until it ends, so that closing
   * does not turn into a RST that would destroy the alert on its way (RFC 1122 section 4.2.2.13).
   */
  | { readonly phase: "lingering"; readonly reason: CloseReason; readonly dueMs: number; bytesLeft: number }
  /** The sockets are closing; when the last has closed, the handler is told. */
  | { readonly phase: "ended" };

/** A rejected client may send this much more, for this long, before its connection is cut. */
const lingerBytesMax = 1_048_576;
const lingerMs = 2_000;

export function lingering(reason: CloseReason, nowMs: number): ConnectionState {
  return { phase: "lingering", reason, dueMs: nowMs + lingerMs, bytesLeft: lingerBytesMax };
}

export type ConnectionPhase = ConnectionState["phase"];

const next: Record<ConnectionPhase, readonly ConnectionPhase[]> = {
  hello: ["waiting", "dialling", "lingering", "ended"],
  waiting: ["dialling", "lingering", "ended"],
  dialling: ["waiting", "dialling", "spliced", "lingering", "ended"],
  spliced: ["ended"],
  lingering: ["ended"],
  ended: [],
};

/** Throws where a connection would go where it can't: a fault of ours. */
export function assertTransition(from: ConnectionPhase, to: ConnectionPhase): void {
  if (!next[from].includes(to)) throw new Error(`a connection can't go from ${from} to ${to}`);
}
