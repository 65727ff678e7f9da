/** How the portable engine sets up both of a connection's sockets. */
export const socketSettings = {
  /** A FIN is passed on as a FIN; the other direction goes on. */
  allowHalfOpen: true,
  /** TLS records are written whole by who made them; Nagle's algorithm would only hold them back. */
  noDelay: true,
  /** Peers that are gone without a word are noticed after 60 s and 10 probes of 1 s (libuv's figures). */
  keepAlive: true,
  keepAliveInitialDelay: 60_000,
  /**
   * Above this many bytes a stream asks to wait. One byte more than libuv reads at once, so that one full read which the
   * kernel takes at once stops nothing. With it, a direction holds at most four such chunks outside the kernel.
   */
  highWaterMark: 65_537,
} as const;
