import type { ServerNameFault } from "./server-name.ts";

/**
 * Why a connection ended: one closed set. The same word stands in the access log, the metric's label, the API and the
 * tests.
 */

/** The hello was not understood: answered with `decode_error` where the client speaks TLS, and never routed. */
export type HelloRejection =
  /** Not a TLS record and not an SSLv2-format hello. */
  | "not_tls"
  /** An SSLv2-format ClientHello (RFC 5246 appendix E.2). */
  | "sslv2_hello"
  /** An alert, change_cipher_spec or application data record, or a handshake message of another type, came first. */
  | "hello_not_first"
  /** A record of length 0 or over 2^14, of another type amid the hello, or that goes on behind it (RFC 8446 section 5.1). */
  | "hello_record"
  /** The handshake message says that it is longer than the listener allows. */
  | "hello_too_big"
  /** Lengths that disagree, a field missing or cut, bytes left over. */
  | "hello_malformed"
  /** A legacy_session_id of over 32 bytes. */
  | "hello_session_id"
  /** The same extension twice (RFC 8446 section 4.2). */
  | "hello_duplicate_extension"
  /** pre_shared_key is not the last extension (RFC 8446 section 4.2.11). */
  | "hello_psk_not_last"
  /** More than one name in server_name (RFC 6066 section 3 allows one of a type, and there is one type). */
  | "name_two"
  /** The first entry of server_name is not a host_name. */
  | "name_type"
  | ProxyHeaderFault
  | ServerNameFault;

/** What a PROXY protocol header in front of the hello, or none, is refused for; closed without an alert. */
export type ProxyHeaderFault =
  /** From one of the listener's `proxy_networks`, without a header. */
  | "proxy_missing"
  /** A header from anywhere else: what it says of the client is not to be believed. */
  | "proxy_untrusted"
  /** A header that can't be read. */
  | "proxy_malformed"
  /** A header that is longer than is read. */
  | "proxy_too_big";

/** The hello did not become complete. */
export type HelloEnd =
  /** The listener's hello deadline passed. */
  | "hello_timeout"
  /** The client closed, or reset, before its hello was complete. */
  | "hello_aborted";

/** A complete hello that goes nowhere. */
export type RoutingEnd =
  /** No route matched and the listener has no default: `unrecognized_name`. */
  | "no_route"
  /** A route or a default rejects it. */
  | "route_reject"
  /** No server of the farm may be chosen: `internal_error`. */
  | "no_server"
  /** The farm's servers have no room, and neither has its queue: `internal_error`. */
  | "queue_full"
  /** No server had room in time: `internal_error`. */
  | "queue_timeout";

/** Every attempt to reach a server failed: `internal_error`. The reason of the last attempt is in the record. */
export type ConnectEnd = "connect_failed" | "connect_timeout";

/** The end of a connection that was spliced. */
export type SpliceEnd =
  /** Both sides ended their streams. */
  "done" | "client_reset" | "server_reset" | "client_idle" | "server_idle" | "half_close_timeout";

/** Ended by the node itself. */
export type NodeEnd =
  /** The listener's connectionsMax was reached. */
  | "connections_max"
  /** Checks marked its server down, and the farm closes such connections. */
  | "server_down"
  /** Its server was deleted, and the farm closes such connections. */
  | "server_removed"
  /** The client went away while a server was sought. */
  | "client_gone"
  /** The node stops, and its grace is over. */
  | "shutdown"
  /** A fault of ours; always with an error in the log. */
  | "internal";

export type CloseReason = HelloRejection | HelloEnd | RoutingEnd | ConnectEnd | SpliceEnd | NodeEnd;

/** Why one attempt to connect to a server failed. */
export type ConnectFailure = "refused" | "timeout" | "unreachable" | "reset" | "local_limit" | "other";
