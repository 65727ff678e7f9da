/** TLS alerts that are sent, with their codes (RFC 8446 section 6). */
export const alertCode = {
  handshake_failure: 40,
  access_denied: 49,
  decode_error: 50,
  protocol_version: 70,
  internal_error: 80,
  unrecognized_name: 112,
  no_application_protocol: 120,
} as const;

export type AlertName = keyof typeof alertCode;
