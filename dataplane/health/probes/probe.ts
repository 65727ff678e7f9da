import type { SecureContext } from "node:tls";
import type { SocketAddress } from "../../../model/address.ts";
import type { HttpProbe, TlsProbe } from "../../../model/farm-policy.ts";
import type { CheckFailed, CheckResult } from "../check-result.ts";

/** A farm's probe, with what all of its checks share. A context can't leave the thread that made it. */
export type PreparedProbe =
  | { readonly type: "tcp" }
  | { readonly type: "tls"; readonly tls: TlsProbe; readonly context: SecureContext }
  | { readonly type: "https"; readonly tls: TlsProbe; readonly context: SecureContext; readonly http: HttpProbe }
  /** It can't be made: every check comes to this. */
  | { readonly type: "impossible"; readonly result: CheckFailed };

/** One check of one server. */
export interface ProbeRequest {
  readonly address: SocketAddress;
  /** For the whole check, until its result. */
  readonly timeoutMs: number;
  /** PROXY protocol header, which goes first; empty for none. */
  readonly header: Uint8Array;
  /** Whether the tickets of its handshake are waited for. */
  readonly wantsTickets: boolean;
}

export interface ProbeEvents {
  /** Once, before {@link ended}; never after {@link RunningProbe.abort}. */
  result(result: CheckResult): void;
  /** Once, when nothing is left of it; with the heads of the tickets that its handshake brought. */
  ended(ticketHeads: readonly Uint8Array[]): void;
}

export interface RunningProbe {
  /** Cuts it off. What follows is {@link ProbeEvents.ended} alone. */
  abort(): void;
}
