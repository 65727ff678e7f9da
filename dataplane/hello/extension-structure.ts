import { uint16 } from "./span.ts";

/**
 * The lists inside the extensions that are read for later. Each check answers whether the data in `bytes[start, end)` is
 * one list (or two) that fills it exactly, of entries that fill it exactly; `client-hello.ts` walks them without a check.
 */

/** ProtocolNameList: at least one name, none empty (RFC 7301 section 3.1). */
export function checkAlpn(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < 4 || uint16(bytes, start) !== end - start - 2) return false;
  let at = start + 2;
  while (at < end) {
    const length = bytes[at] as number;
    if (length === 0) return false;
    at += 1 + length;
  }
  return at === end;
}

/** ProtocolVersion versions<2..254>, behind a length of one byte (RFC 8446 section 4.2.1). */
export function checkSupportedVersions(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < 3) return false;
  const length = bytes[start] as number;
  return length % 2 === 0 && length === end - start - 1;
}

const identityBytesMin = 1;
const obfuscatedAgeBytes = 4;
const binderBytesMin = 32;

/**
 * OfferedPsks: PskIdentity identities<7..2^16-1>, then PskBinderEntry binders<33..2^16-1>, as many of the one as of the
 * other (RFC 8446 section 4.2.11).
 */
export function checkPreSharedKey(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < 2) return false;
  const identitiesEnd = pskIdentitiesEnd(bytes, start);
  if (identitiesEnd > end - 2) return false;
  let identities = 0;
  let at = start + 2;
  while (at < identitiesEnd) {
    if (identitiesEnd - at < 2) return false;
    const length = uint16(bytes, at);
    if (length < identityBytesMin) return false;
    at += 2 + length + obfuscatedAgeBytes;
    identities += 1;
  }
  if (at !== identitiesEnd || identities === 0) return false;

  if (uint16(bytes, identitiesEnd) !== end - identitiesEnd - 2) return false;
  let binders = 0;
  at = identitiesEnd + 2;
  while (at < end) {
    const length = bytes[at] as number;
    if (length < binderBytesMin) return false;
    at += 1 + length;
    binders += 1;
  }
  return at === end && binders === identities;
}

/** Where the identities of a pre_shared_key extension that begins at `start` end, by its own first length. */
export function pskIdentitiesEnd(bytes: Uint8Array, start: number): number {
  return start + 2 + uint16(bytes, start);
}
