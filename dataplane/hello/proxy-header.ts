import type { SocketAddress } from "../../model/address.ts";
import type { ProxyHeaderFault } from "../../model/reason.ts";

/** The longest header that is read; version 1 has at most 107 bytes, version 2 may carry values of its own. */
export const proxyHeaderBytesMax = 2048;

/** Who is behind a header. An IPv4-mapped IPv6 address is told as IPv4; the document allows port 0. */
export interface ProxyAddresses {
  readonly source: SocketAddress;
  readonly destination: SocketAddress;
}

/** What the first bytes of a connection are, with regard to a PROXY protocol header (versions 1 and 2, HAProxy's document). */
export type ProxyHeaderOutcome =
  /** It may become one. */
  | { readonly outcome: "incomplete" }
  /** These bytes begin something else. */
  | { readonly outcome: "absent" }
  | {
      readonly outcome: "complete";
      /** Of the header; what follows is the client's stream. */
      readonly bytes: number;
      /** Who is behind it. Null for LOCAL and UNKNOWN: the connection's own addresses hold. */
      readonly addresses: ProxyAddresses | null;
    }
  | { readonly outcome: "malformed"; readonly reason: Extract<ProxyHeaderFault, "proxy_malformed" | "proxy_too_big"> };
