/**
 * Why a server is not well, or what its check failed of: one closed set, the same word in the log, the metrics, the API and the
 * tests.
 */
export const healthReasons = [
  "connect_refused",
  "connect_timeout",
  "connect_unreachable",
  "connect_reset",
  /** For want of a descriptor or a port on the node; says nothing of the server, and changes nothing. */
  "local_limit",
  "connect_other",
  /** The connection was made, and ended before the server's first byte. */
  "reset_before_reply",
  "tls_timeout",
  /** The server ended the handshake with an alert, named in the detail. */
  "tls_alert",
  /** What came is no TLS, or not as agreed. */
  "tls_protocol",
  "certificate_expired",
  /** Not for the wanted server name. */
  "certificate_name",
  /** No chain to what is trusted. */
  "certificate_untrusted",
  "http_timeout",
  "http_status",
  /** No HTTP, or the connection ended amid the answer. */
  "http_protocol",
  /** The server's name has no address. */
  "unresolved",
] as const;

export type HealthReason = (typeof healthReasons)[number];
