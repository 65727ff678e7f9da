import { asciiText } from "../../model/server-name.ts";
import { proxySignatureV1, proxySignatureV2 } from "./proxy-format.ts";
import type { ProxyHeaderOutcome } from "./proxy-header.ts";
import { readProxyBlock } from "./read-proxy-block.ts";
import { readProxyLine } from "./read-proxy-line.ts";

/** Of a line of version 1, its CRLF included. */
const lineBytesMax = 107;
const carriageReturn = 0x0d;
const lineFeed = 0x0a;

const incomplete: ProxyHeaderOutcome = { outcome: "incomplete" };
const absent: ProxyHeaderOutcome = { outcome: "absent" };
const malformed: ProxyHeaderOutcome = { outcome: "malformed", reason: "proxy_malformed" };
const tooBig: ProxyHeaderOutcome = { outcome: "malformed", reason: "proxy_too_big" };

/**
 * Reads a PROXY protocol header, version 1 or 2 ("The PROXY protocol", HAProxy's document of 2020/03/05), at the head of a
 * stream. Any bytes have an answer, and nothing is thrown.
 *
 * @param bytes all that came so far. The answer depends on them alone: once it is not `incomplete`, no further byte changes
 *   it. Nothing is kept of them.
 */
export function readProxyHeader(bytes: Uint8Array): ProxyHeaderOutcome {
  const signature = bytes[0] === proxySignatureV1[0] ? proxySignatureV1 : proxySignatureV2;
  const compared = Math.min(bytes.length, signature.length);
  for (let at = 0; at < compared; at += 1) if (bytes[at] !== signature[at]) return absent;
  if (compared < signature.length) return incomplete;
  return signature === proxySignatureV1 ? readVersion1(bytes) : readProxyBlock(bytes);
}

/** A lone CR or LF ends no line, and stands in none. */
function readVersion1(bytes: Uint8Array): ProxyHeaderOutcome {
  const end = Math.min(bytes.length, lineBytesMax);
  for (let at = proxySignatureV1.length; at < end; at += 1) {
    if (bytes[at] === lineFeed) return malformed;
    if (bytes[at] !== carriageReturn) continue;
    if (at + 1 === end) break;
    if (bytes[at + 1] !== lineFeed) return malformed;
    const addresses = readProxyLine(asciiText(bytes, proxySignatureV1.length, at));
    return addresses === undefined ? malformed : { outcome: "complete", bytes: at + 2, addresses };
  }
  return end === lineBytesMax ? tooBig : incomplete;
}
