import { ipText, type SocketAddress } from "../../model/address.ts";
import type { ProxyProtocolPolicy, ProxyTlv } from "../../model/farm-policy.ts";
import { crc32c } from "./crc32c.ts";
import { writeMapped } from "./mapped-address.ts";
import { type ProxyEndpoint, proxyEndpoint } from "./proxy-endpoint.ts";
import {
  proxyCommand,
  proxyFamily,
  proxyPreambleBytes,
  proxySignatureV2,
  proxyTlvType,
  tlvHeadBytes,
  uniqueIdBytesMax,
} from "./proxy-format.ts";

/** What a PROXY header can tell of a client's connection. */
export interface ProxiedConnection {
  readonly source: SocketAddress;
  /** The address that the client reached. */
  readonly destination: SocketAddress;
  /** Normalised; null where the client named none. */
  readonly serverName: string | null;
  /** One character for each byte; null where the client offers none. */
  readonly alpn: string | null;
  /** Its first 128 bytes are sent (section 2.2.5). */
  readonly uniqueId: Uint8Array;
}

const noChecksum = new Uint8Array(4);

/**
 * The header for one connection ("The PROXY protocol", HAProxy's document of 2020/03/05), in memory of its own. Where one
 * end is IPv4 and the other IPv6, the IPv4 address is written as an IPv4-mapped one.
 */
export function proxyHeaderBytes(policy: ProxyProtocolPolicy, of: ProxiedConnection): Uint8Array {
  const source = proxyEndpoint(of.source);
  const destination = proxyEndpoint(of.destination);
  if (policy.version === 1) return latin1Bytes(line(source, destination));
  return block(
    source,
    destination,
    policy.tlvs.map((tlv) => [proxyTlvType[tlv], valueOf(tlv, of)]),
  );
}

/** The header of a connection of the node's own, a health check: the receiver uses the connection's addresses. */
export function localProxyHeader(version: 1 | 2): Uint8Array {
  if (version === 1) return latin1Bytes("PROXY UNKNOWN\r\n");
  const bytes = new Uint8Array(proxyPreambleBytes);
  writePreamble(bytes, proxyCommand.local, proxyFamily.unspecified);
  return bytes;
}

function line(source: ProxyEndpoint, destination: ProxyEndpoint): string {
  const both4 = source.address.length === 4 && destination.address.length === 4;
  const [from, to] = both4
    ? [ipText(source.address), ipText(destination.address)]
    : [textV6(source.address), textV6(destination.address)];
  return `PROXY ${both4 ? "TCP4" : "TCP6"} ${from} ${to} ${source.port} ${destination.port}\r\n`;
}

/** Section 2.1 has groups of hexadecimal digits only, so that a mapped address is not written with dots. */
function textV6(address: Uint8Array): string {
  if (address.length === 16) return ipText(address);
  const [a, b, c, d] = address as unknown as readonly [number, number, number, number];
  return `::ffff:${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}

function block(
  source: ProxyEndpoint,
  destination: ProxyEndpoint,
  values: readonly (readonly [type: number, value: Uint8Array | null])[],
): Uint8Array {
  const size = source.address.length === 4 && destination.address.length === 4 ? 4 : 16;
  const portsAt = proxyPreambleBytes + 2 * size;
  let length = portsAt + 4;
  for (const [, value] of values) if (value !== null) length += tlvHeadBytes + value.length;

  const bytes = new Uint8Array(length);
  writePreamble(bytes, proxyCommand.proxy, size === 4 ? proxyFamily.tcp4 : proxyFamily.tcp6);
  writeAddress(source.address, size, bytes, proxyPreambleBytes);
  writeAddress(destination.address, size, bytes, proxyPreambleBytes + size);
  writeUint16(bytes, portsAt, source.port);
  writeUint16(bytes, portsAt + 2, destination.port);

  let crcAt = -1;
  let at = portsAt + 4;
  for (const [type, value] of values) {
    if (value === null) continue;
    bytes[at] = type;
    writeUint16(bytes, at + 1, value.length);
    at += tlvHeadBytes;
    bytes.set(value, at);
    if (type === proxyTlvType.crc32c) crcAt = at;
    at += value.length;
  }
  if (crcAt >= 0) writeUint32(bytes, crcAt, crc32c(bytes, length, crcAt));
  return bytes;
}

/** Null where there is nothing to say. */
function valueOf(tlv: ProxyTlv, of: ProxiedConnection): Uint8Array | null {
  switch (tlv) {
    case "alpn":
      return of.alpn === null ? null : latin1Bytes(of.alpn);
    case "authority":
      return of.serverName === null ? null : latin1Bytes(of.serverName);
    case "crc32c":
      return noChecksum;
    case "unique_id":
      return of.uniqueId.subarray(0, uniqueIdBytesMax);
    default:
      return tlv satisfies never;
  }
}

/** All of the header's first 16 bytes; its length is that of `bytes`. */
function writePreamble(bytes: Uint8Array, command: number, family: number): void {
  bytes.set(proxySignatureV2);
  bytes[proxySignatureV2.length] = command;
  bytes[proxySignatureV2.length + 1] = family;
  writeUint16(bytes, proxySignatureV2.length + 2, bytes.length - proxyPreambleBytes);
}

function writeAddress(address: Uint8Array, size: number, bytes: Uint8Array, at: number): void {
  if (size === 4) bytes.set(address, at);
  else writeMapped(address, bytes, at);
}

function writeUint16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8;
  bytes[at + 1] = value & 0xff;
}

function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  writeUint16(bytes, at, value >>> 16);
  writeUint16(bytes, at + 2, value & 0xffff);
}

function latin1Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at += 1) bytes[at] = text.charCodeAt(at);
  return bytes;
}
