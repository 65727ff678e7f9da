/** CRC32c, the Castagnoli polynomial, reflected (RFC 9260 appendix A; PP2_TYPE_CRC32C names RFC 4960 appendix B). */
const reflectedPolynomial = 0x82f63b78;

const table = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ reflectedPolynomial : value >>> 1;
  return value;
});

/**
 * The checksum of `bytes[0, end)` as a whole number below 2^32, read as if the four bytes at `zeroAt` were zero: where a
 * header holds its own checksum, that is how it was made.
 */
export function crc32c(bytes: Uint8Array, end: number, zeroAt: number): number {
  let crc = 0xffffffff;
  for (let at = 0; at < end; at += 1) {
    const byte = at >= zeroAt && at < zeroAt + 4 ? 0 : (bytes[at] as number);
    crc = (table[(crc ^ byte) & 0xff] as number) ^ (crc >>> 8);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
