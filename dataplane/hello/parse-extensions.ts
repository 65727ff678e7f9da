import type { HelloRejection } from "../../model/reason.ts";
import { normaliseServerName, serverNameBytesMax, serverNameFault } from "../../model/server-name.ts";
import { checkAlpn, checkPreSharedKey, checkSupportedVersions, pskIdentitiesEnd } from "./extension-structure.ts";
import { type Span, uint16 } from "./span.ts";

/**
 * Most extensions that one hello may have: browsers send 15 to 20, all that IANA has registered are about 60. It bounds
 * the search for duplicates, which is quadratic.
 */
export const helloExtensionsMax = 128;

/** What the extensions hold and where, every length checked; null stands for an extension that is absent. */
export interface ExtensionsFound {
  /** Normalised by `normaliseServerName`; empty without the server_name extension. Not a view of the hello. */
  nameBytes: Uint8Array;
  /** The entries of ALPN's ProtocolNameList (RFC 7301 section 3.1), without its length. */
  alpn: Span | null;
  /** The data of session_ticket (RFC 5077 section 3.2); empty where a client without a ticket asks for one. */
  sessionTicket: Span | null;
  /** The PskIdentity entries of pre_shared_key (RFC 8446 section 4.2.11), without their length. */
  pskIdentities: Span | null;
  /** The entries of supported_versions (RFC 8446 section 4.2.1), without their length. */
  supportedVersions: Span | null;
  encryptedClientHello: boolean;
  earlyData: boolean;
}

const extensionType = {
  server_name: 0,
  alpn: 16,
  session_ticket: 35,
  pre_shared_key: 41,
  early_data: 42,
  supported_versions: 43,
  encrypted_client_hello: 0xfe0d,
} as const;

const hostNameType = 0;
const noName = new Uint8Array(0);

/** What a hello without any extension that is read here holds. */
export const noExtensions: Readonly<ExtensionsFound> = {
  nameBytes: noName,
  alpn: null,
  sessionTicket: null,
  pskIdentities: null,
  supportedVersions: null,
  encryptedClientHello: false,
  earlyData: false,
};

/** The types of the hello that is being parsed; one parse ends before the next begins. */
const typesSeen = new Uint16Array(helloExtensionsMax);
const nameScratch = new Uint8Array(serverNameBytesMax);

/**
 * Parses the extensions block in `bytes[start, end)`, its 2-byte length first.
 *
 * @param bodyStart what the spans of the answer count from
 * @returns what was found, or the reason why the hello is refused: the first one in the order of the bytes
 */
export function parseExtensions(
  bytes: Uint8Array,
  start: number,
  end: number,
  bodyStart: number,
): ExtensionsFound | HelloRejection {
  if (end - start < 2 || uint16(bytes, start) !== end - start - 2) return "hello_malformed";
  const found: ExtensionsFound = { ...noExtensions };
  let count = 0;
  for (let at = start + 2; at < end; ) {
    if (end - at < 4) return "hello_malformed";
    const type = uint16(bytes, at);
    const dataStart = at + 4;
    const dataEnd = dataStart + uint16(bytes, at + 2);
    if (dataEnd > end || count === helloExtensionsMax) return "hello_malformed";

    for (let index = 0; index < count; index += 1) {
      if (typesSeen[index] === type) return "hello_duplicate_extension";
    }
    typesSeen[count] = type;
    count += 1;

    if (type === extensionType.pre_shared_key && dataEnd !== end) return "hello_psk_not_last";
    const fault = parseExtension(bytes, type, dataStart, dataEnd, bodyStart, found);
    if (fault !== null) return fault;
    at = dataEnd;
  }
  return found;
}

/** Checks one extension's data in `bytes[start, end)` and notes it in `found`. Types that are not read pass. */
function parseExtension(
  bytes: Uint8Array,
  type: number,
  start: number,
  end: number,
  bodyStart: number,
  found: ExtensionsFound,
): HelloRejection | null {
  switch (type) {
    case extensionType.server_name:
      return parseServerNameList(bytes, start, end, found);
    case extensionType.alpn:
      found.alpn = { start: start + 2 - bodyStart, end: end - bodyStart };
      return checkAlpn(bytes, start, end) ? null : "hello_malformed";
    case extensionType.session_ticket:
      found.sessionTicket = { start: start - bodyStart, end: end - bodyStart };
      return null;
    case extensionType.pre_shared_key: {
      if (!checkPreSharedKey(bytes, start, end)) return "hello_malformed";
      found.pskIdentities = { start: start + 2 - bodyStart, end: pskIdentitiesEnd(bytes, start) - bodyStart };
      return null;
    }
    case extensionType.early_data:
      found.earlyData = true;
      return start === end ? null : "hello_malformed";
    case extensionType.supported_versions:
      found.supportedVersions = { start: start + 1 - bodyStart, end: end - bodyStart };
      return checkSupportedVersions(bytes, start, end) ? null : "hello_malformed";
    case extensionType.encrypted_client_hello:
      found.encryptedClientHello = true;
      return null;
    default:
      return null;
  }
}

/**
 * The ServerNameList (RFC 6066 section 3): a list with exactly one entry, a host_name. A second entry is refused whatever
 * its type is, because servers differ in which of two they believe; so is an empty extension, which only a server sends.
 */
function parseServerNameList(
  bytes: Uint8Array,
  start: number,
  end: number,
  found: ExtensionsFound,
): HelloRejection | null {
  if (end - start < 5 || uint16(bytes, start) !== end - start - 2) return "hello_malformed";
  if (bytes[start + 2] !== hostNameType) return "name_type";
  const nameStart = start + 5;
  const nameEnd = nameStart + uint16(bytes, start + 3);
  if (nameEnd > end) return "hello_malformed";
  if (nameEnd < end) {
    const holdsEntry = end - nameEnd >= 3 && nameEnd + 3 + uint16(bytes, nameEnd + 1) <= end;
    return holdsEntry ? "name_two" : "hello_malformed";
  }
  const length = normaliseServerName(bytes, nameStart, nameEnd, nameScratch, 0);
  if (length < 0) return serverNameFault(length);
  found.nameBytes = nameScratch.slice(0, length);
  return null;
}
