import { ipText, joinSocketAddress, type SocketAddress } from "../../model/address.ts";
import { crc32c } from "./crc32c.ts";
import { unmapped } from "./mapped-address.ts";
import {
  proxyCommand,
  proxyFamily,
  proxyPreambleBytes,
  proxyTlvType,
  tlvHeadBytes,
  uniqueIdBytesMax,
} from "./proxy-format.ts";
import { type ProxyAddresses, type ProxyHeaderOutcome, proxyHeaderBytesMax } from "./proxy-header.ts";
import { uint16 } from "./span.ts";

const incomplete: ProxyHeaderOutcome = { outcome: "incomplete" };
const malformed: ProxyHeaderOutcome = { outcome: "malformed", reason: "proxy_malformed" };
const tooBig: ProxyHeaderOutcome = { outcome: "malformed", reason: "proxy_too_big" };

const commandAt = 12;
const familyAt = 13;
const lengthAt = 14;

/** Bytes of both addresses, and of the ports where the family has them, by family: unspecified, IPv4, IPv6, UNIX. */
const addressBytes = [0, 12, 36, 216] as const;
const transportMax = 2;
const crcBytes = 4;

/**
 * Reads a header of version 2, whose signature is there (section 2.2), from all bytes so far. Faults are told at the byte
 * that shows them, and the header's values when its last byte is there.
 *
 * Of LOCAL, and of an unspecified family, the whole block is passed over, as the document says. Families and transports
 * that can't be a TCP connection's (AF_UNIX, DGRAM) are read as unspecified ones are, but their block is checked.
 */
export function readProxyBlock(bytes: Uint8Array): ProxyHeaderOutcome {
  const command = bytes[commandAt];
  if (command === undefined) return incomplete;
  if (command !== proxyCommand.local && command !== proxyCommand.proxy) return malformed;
  const local = command === proxyCommand.local;

  const family = bytes[familyAt];
  if (family === undefined) return incomplete;
  const fixed = local ? 0 : addressBytes[family >> 4];
  if (fixed === undefined || (!local && (family & 0x0f) > transportMax)) return malformed;

  if (bytes.length < proxyPreambleBytes) return incomplete;
  const length = uint16(bytes, lengthAt);
  const end = proxyPreambleBytes + length;
  if (end > proxyHeaderBytesMax) return tooBig;
  if (length < fixed) return malformed;
  if (bytes.length < end) return incomplete;
  if (fixed > 0 && !checkValues(bytes, proxyPreambleBytes + fixed, end)) return malformed;
  const addresses = local ? null : readAddresses(bytes, family);
  return { outcome: "complete", bytes: end, addresses };
}

function readAddresses(bytes: Uint8Array, family: number): ProxyAddresses | null {
  if (family !== proxyFamily.tcp4 && family !== proxyFamily.tcp6) return null;
  const size = family === proxyFamily.tcp4 ? 4 : 16;
  const portsAt = proxyPreambleBytes + 2 * size;
  return {
    source: socketAddress(bytes, proxyPreambleBytes, size, portsAt),
    destination: socketAddress(bytes, proxyPreambleBytes + size, size, portsAt + 2),
  };
}

function socketAddress(bytes: Uint8Array, at: number, size: number, portAt: number): SocketAddress {
  return joinSocketAddress(ipText(unmapped(bytes.subarray(at, at + size))), uint16(bytes, portAt));
}

/**
 * Walks the TLVs in `bytes[start, end)`: their lengths fill it exactly, a unique id is as long as may be, and a checksum,
 * of which there is at most one, is that of the header. Types that mean nothing here pass.
 */
function checkValues(bytes: Uint8Array, start: number, end: number): boolean {
  let crcAt = -1;
  let at = start;
  while (at < end) {
    const length = uint16(bytes, at + 1);
    const valueAt = at + tlvHeadBytes;
    // Also where the type and length do not fit: then less than nothing is left.
    if (length > end - valueAt) return false;
    if (bytes[at] === proxyTlvType.unique_id && length > uniqueIdBytesMax) return false;
    if (bytes[at] === proxyTlvType.crc32c) {
      if (length !== crcBytes || crcAt >= 0) return false;
      crcAt = valueAt;
    }
    at = valueAt + length;
  }
  if (crcAt < 0) return true;
  const said = uint16(bytes, crcAt) * 0x1_0000 + uint16(bytes, crcAt + 2);
  return said === crc32c(bytes, end, crcAt);
}
