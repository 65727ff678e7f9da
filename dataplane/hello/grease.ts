/**
 * GREASE: values that clients strew into their lists so that readers learn to skip what they do not know (RFC 8701).
 * They mean nothing, and differ from one connection to the next.
 */

/** True for the 16-bit values 0x0a0a, 0x1a1a ... 0xfafa (RFC 8701 section 2); ALPN's are these, as two bytes. */
export function isGrease(value: number): boolean {
  return (value & 0x0f0f) === 0x0a0a && value >> 8 === (value & 0xff);
}
