/** A session that a client offers to resume, as far as affinity looks at it: copies, valid for as long as anyone holds them. */
export type OfferedSession =
  /**
   * TLS 1.3: the first 32 bytes of each PSK identity, in the client's order, at most 4 of them. One that is too short for a
   * ticket is empty here, so that the others keep the places by which a server selects them.
   */
  | { readonly kind: "psk"; readonly heads: readonly Uint8Array[] }
  /** TLS 1.2: the first 32 bytes of the ticket. The session id beside it is the client's invention (RFC 5077 section 3.4). */
  | { readonly kind: "ticket"; readonly head: Uint8Array }
  /** TLS 1.2 and older. `certain`: the client offers no TLS 1.3, so that this is an id that a server gave it. */
  | { readonly kind: "session_id"; readonly id: Uint8Array; readonly certain: boolean };
