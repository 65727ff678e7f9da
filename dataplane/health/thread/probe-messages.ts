import type { SocketAddress } from "../../../model/address.ts";
import type { Probe } from "../../../model/farm-policy.ts";
import type { CheckResult } from "../check-result.ts";

/**
 * What goes between the thread that decides connections and the one that checks servers: plain values, copied. Nothing of a
 * TLS session crosses but the heads of its tickets, each in memory of its own, as what is copied is all of the memory.
 */

/** What the thread is told. Each end takes them in the order in which they were sent. */
export type ProbeOrder =
  /** Before the first check by this probe. */
  | { readonly type: "prepare"; readonly probeId: number; readonly probe: Probe }
  | { readonly type: "forget"; readonly probeId: number }
  | {
      readonly type: "start";
      readonly checkId: number;
      readonly probeId: number;
      readonly address: SocketAddress;
      readonly timeoutMs: number;
      readonly header: Uint8Array;
      readonly wantsTickets: boolean;
    }
  /** Of a check that may have ended meanwhile. */
  | { readonly type: "abort"; readonly checkId: number }
  /** The last one: the thread ends by itself. */
  | { readonly type: "close" };

/** What the thread tells: the events of a check. */
export type ProbeReport =
  | { readonly type: "result"; readonly checkId: number; readonly result: CheckResult }
  | { readonly type: "ended"; readonly checkId: number; readonly ticketHeads: readonly Uint8Array[] };
