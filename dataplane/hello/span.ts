/** A part of the hello's handshake body, as offsets from the body's first byte: `[start, end)`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** The big-endian 16-bit number at `bytes[at]`, as all of TLS writes them. The caller has checked that it is there. */
export function uint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

export const noBytes = new Uint8Array(0);
