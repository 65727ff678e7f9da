/** What a server answered a hello with. */
export type ServerAnswer = "server_hello" | "hello_retry" | "alert" | "other" | "nothing";

/** What a server's first flight says in clear, as far as it was read. */
export interface FlightFacts {
  readonly answer: ServerAnswer;
  /** A HelloRetryRequest came first: what the server selected is of the client's second hello, which nobody read here. */
  readonly retried: boolean;
  /** 0x0303 for TLS 1.2, 0x0304 for TLS 1.3, ...; 0 before a ServerHello that is no retry. */
  readonly version: number;
  /** `session_id` of a ServerHello of TLS 1.2 or older, copied; empty for none, and always empty for TLS 1.3, where it is an echo. */
  readonly sessionId: Uint8Array;
  /** TLS 1.3: which of the client's PSK identities the server took (RFC 8446 section 4.2.11); -1 for none. */
  readonly pskSelected: number;
  /** TLS 1.2 and older: the handshake is abbreviated (RFC 5246 section 7.3): the server resumed the session. */
  readonly abbreviated: boolean;
  /** The ticket of a NewSessionTicket in clear (TLS 1.2, RFC 5077 section 3.3), at most its first 32 bytes, copied; null for none. */
  readonly ticketHead: Uint8Array | null;
  /** Nothing more is to be learnt from this connection. */
  readonly settled: boolean;
}
