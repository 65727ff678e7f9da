import { joinSocketAddress, parseIpAddress, type SocketAddress } from "../../model/address.ts";

/** Stands for an address that the system no longer knows: the connection was reset before it was accepted. */
const unknownAddress = joinSocketAddress("0.0.0.0", 0);

/**
 * The canonical form of an address as node:net gives it. An IPv4-mapped address (RFC 4291 section 2.5.5.2), which is what
 * IPv4 clients of an IPv6 socket come from, is that IPv4 address; a zone (`fe80::1%eth0`) is dropped.
 */
export function peerAddress(host: string | undefined, port: number | undefined): SocketAddress {
  if (host === undefined || port === undefined) return unknownAddress;
  const bare = host.replace(/^::ffff:(?=\d+\.)/i, "").replace(/%.*$/, "");
  const ip = parseIpAddress(bare);
  return ip === undefined ? unknownAddress : joinSocketAddress(ip, port);
}
