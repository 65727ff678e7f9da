/** Bytes of a ticket that are kept: the name of its key is within them for every stack that gives one. */
export const ticketHeadBytes = 32;

const sequenceTag = 0x30;
/** `[10] EXPLICIT OCTET STRING`: the ticket in OpenSSL's `SSL_SESSION_ASN1` (ssl/ssl_asn1.c). */
const ticketTag = 0xaa;
const octetStringTag = 0x04;

/**
 * The first bytes of the ticket in a session as Node gives it (`session` event: OpenSSL's DER of the session), copied. Null
 * where the session has no ticket, as one of TLS 1.2 with a session id only, and for whatever is no such DER.
 */
export function ticketHead(session: Uint8Array): Uint8Array | null {
  const whole = elementAt(session, 0, session.length);
  if (whole?.tag !== sequenceTag) return null;
  let at = whole.start;
  while (at < whole.end) {
    const field = elementAt(session, at, whole.end);
    if (field === null) return null;
    if (field.tag === ticketTag) {
      const ticket = elementAt(session, field.start, field.end);
      if (ticket?.tag !== octetStringTag || ticket.end === ticket.start) return null;
      // A Buffer's own slice would share its memory with the session, which holds the master secret.
      return new Uint8Array(session.subarray(ticket.start, Math.min(ticket.end, ticket.start + ticketHeadBytes)));
    }
    at = field.end;
  }
  return null;
}

/** Where an element's content stands; null where the bytes up to `limit` are no element. */
function elementAt(
  bytes: Uint8Array,
  at: number,
  limit: number,
): { readonly tag: number; readonly start: number; readonly end: number } | null {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined || at + 2 > limit) return null;
  let length = first;
  let start = at + 2;
  if (first >= 0x80) {
    // A length of more than three bytes is of no session; of none, it is BER's indefinite form, which is no DER.
    const lengthBytes = first & 0x7f;
    if (lengthBytes === 0 || lengthBytes > 3) return null;
    length = 0;
    for (let index = 0; index < lengthBytes; index += 1) length = (length << 8) | (bytes[start + index] ?? 0);
    start += lengthBytes;
  }
  const end = start + length;
  return end > limit ? null : { tag, start, end };
}
