import type { HelloRejection } from "../../model/reason.ts";
import { readableRecordVersion } from "./alert-record.ts";
import { ClientHello } from "./client-hello.ts";
import type { SettledOutcome } from "./hello-outcome.ts";
import { noExtensions, parseExtensions } from "./parse-extensions.ts";
import { type Span, uint16 } from "./span.ts";

const randomBytes = 32;
const sessionIdBytesMax = 32;

/**
 * Parses the body of a ClientHello (RFC 8446 section 4.1.2; the same layout since TLS 1.0) that lies in `bytes` at
 * `[start, end)`, without the handshake message's 4-byte header. Copies nothing but the name, and reads nothing outside.
 *
 * The structure is checked as a whole, also where nothing here needs it: a hello that two readers could understand in
 * two ways must not be routed. Values (cipher suites, groups, versions of the future) are the server's business.
 *
 * @param recordVersion of the first record's header
 */
export function parseClientHello(bytes: Uint8Array, start: number, end: number, recordVersion: number): SettledOutcome {
  const fixedEnd = start + 2 + randomBytes + 1;
  if (end < fixedEnd) {
    const announced = end - start >= 2 ? uint16(bytes, start) : recordVersion;
    return rejected("hello_malformed", announced);
  }
  const legacyVersion = uint16(bytes, start);

  const sessionIdLength = bytes[fixedEnd - 1] as number;
  if (sessionIdLength > sessionIdBytesMax) return rejected("hello_session_id", legacyVersion);
  const sessionId: Span = { start: fixedEnd - start, end: fixedEnd - start + sessionIdLength };

  const extensionsAt = skipSuitesAndCompression(bytes, fixedEnd + sessionIdLength, end);
  if (extensionsAt < 0) return rejected("hello_malformed", legacyVersion);

  const found = extensionsAt === end ? noExtensions : parseExtensions(bytes, extensionsAt, end, start);
  if (typeof found === "string") return rejected(found, legacyVersion);
  const hello = new ClientHello(bytes, start, end, recordVersion, legacyVersion, sessionId, found);
  return { outcome: "complete", hello };
}

/** Where the extensions block begins, or -1 where a length does not agree. Both lists hold at least one value. */
function skipSuitesAndCompression(bytes: Uint8Array, start: number, end: number): number {
  if (end - start < 2) return -1;
  const suitesLength = uint16(bytes, start);
  const compressionAt = start + 2 + suitesLength;
  if (suitesLength === 0 || suitesLength % 2 !== 0 || compressionAt >= end) return -1;

  const compressionLength = bytes[compressionAt] as number;
  const after = compressionAt + 1 + compressionLength;
  return compressionLength === 0 || after > end ? -1 : after;
}

function rejected(reason: HelloRejection, announcedVersion: number): SettledOutcome {
  return { outcome: "rejected", reason, recordVersion: readableRecordVersion(announcedVersion) };
}
