/**
 * The ticket in a session as Node hands it out: OpenSSL's SSL_SESSION in DER, a SEQUENCE whose field [10] is an OCTET STRING.
 */
export function ticketIn(session: Uint8Array): Uint8Array {
  const whole = elementAt(session, 0);
  for (let at = whole.contentAt; at < whole.end; ) {
    const element = elementAt(session, at);
    if (element.tag === 0xaa) {
      const octets = elementAt(session, element.contentAt);
      return session.slice(octets.contentAt, octets.end);
    }
    at = element.end;
  }
  throw new Error("the session has no ticket");
}

function elementAt(
  bytes: Uint8Array,
  at: number,
): { readonly tag: number; readonly contentAt: number; readonly end: number } {
  const first = bytes[at + 1] ?? 0;
  const lengthBytes = first < 0x80 ? 0 : first - 0x80;
  let length = lengthBytes === 0 ? first : 0;
  for (let index = 0; index < lengthBytes; index += 1) length = length * 256 + (bytes[at + 2 + index] ?? 0);
  const contentAt = at + 2 + lengthBytes;
  return { tag: bytes[at] ?? 0, contentAt, end: contentAt + length };
}
