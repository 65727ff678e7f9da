/** IPv4-mapped IPv6 addresses (RFC 4291 section 2.5.5.2): `::ffff:192.0.2.1`, an IPv4 address in an IPv6 field. */

const mappedPrefix = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff);

/** A mapped address as its four bytes; any other as it is. */
export function unmapped(address: Uint8Array): Uint8Array {
  if (address.length !== 16) return address;
  for (let at = 0; at < mappedPrefix.length; at += 1) if (address[at] !== mappedPrefix[at]) return address;
  return address.subarray(mappedPrefix.length);
}

/** Writes an address of 4 or 16 bytes as one of 16 at `target[at]`. */
export function writeMapped(address: Uint8Array, target: Uint8Array, at: number): void {
  if (address.length === 4) target.set(mappedPrefix, at);
  target.set(address, at + 16 - address.length);
}
