import type { NodeIdentity } from "../../model/node-identity.ts";

/** What the control plane sees of a node: all that waves are counted and judged by. */
export interface NodeObservation {
  readonly identity: NodeIdentity;
  /** It holds a session, with this replica or another. */
  readonly reachable: boolean;
  /** New at each start of its process. */
  readonly bootId: string;
  /** What it serves. */
  readonly revision: number;
  /** Of what it serves: 32 bytes, or none where it has not reported yet. */
  readonly digest: Uint8Array;
  /** The newest revision that it can't carry out, or not in full, and why; null for none. */
  readonly refused: { readonly revision: number; readonly detail: string } | null;
  /** Servers that it sees failing. */
  readonly failing: ReadonlySet<string>;
  /** Since its process started. */
  readonly counters: OutcomeCounters;
}

export interface OutcomeCounters {
  /** Connections that a server was sought for. */
  readonly connects: number;
  /** Of those: that reached none. */
  readonly connectFailures: number;
  /** Hellos that a server was sent. */
  readonly handshakes: number;
  /** Of those: answered with an alert, something else than TLS, or nothing. */
  readonly handshakeFailures: number;
}
