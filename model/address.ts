/** IP addresses, socket addresses and networks as values; text in canonical form (RFC 5952 for IPv6). */

/** An IP address in canonical text: `127.0.0.1`, `2001:db8::7`. */
export type IpAddress = string & { readonly __brand: "IpAddress" };

/** `127.0.0.1:8443`, `[2001:db8::7]:443`. */
export type SocketAddress = string & { readonly __brand: "SocketAddress" };

/** `app.internal:443`: a name that is resolved where it is used, lower-case, without a trailing dot. */
export type HostAddress = string & { readonly __brand: "HostAddress" };

/** `10.0.0.0/8`, `2001:db8::/32`; no bits beyond the prefix. */
export type Network = string & { readonly __brand: "Network" };

/** The 4 or 16 bytes of an IP address, or undefined where the text is not one. Zone ids are refused. */
export function ipBytes(text: string): Uint8Array | undefined {
  return text.includes(":") ? ipv6Bytes(text) : ipv4Bytes(text);
}

function ipv4Bytes(text: string): Uint8Array | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  const bytes = new Uint8Array(4);
  for (const [index, part] of parts.entries()) {
    // No leading zeros: some readers take them for octal.
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
    bytes[index] = Number(part);
  }
  return bytes;
}

function ipv6Bytes(text: string): Uint8Array | undefined {
  let rest = text;
  let tail: Uint8Array | undefined;
  const lastColon = text.lastIndexOf(":");
  if (text.includes(".")) {
    tail = ipv4Bytes(text.slice(lastColon + 1));
    if (tail === undefined) return undefined;
    // Two groups that only hold the place; the tail's bytes are written over them below.
    rest = `${text.slice(0, lastColon)}:0:0`;
  }
  const halves = rest.split("::");
  if (halves.length > 2) return undefined;
  const head = groups(halves[0] as string);
  const foot = halves.length === 2 ? groups(halves[1] as string) : [];
  if (head === undefined || foot === undefined) return undefined;
  const count = head.length + foot.length;
  if (halves.length === 2 ? count > 7 : count !== 8) return undefined;
  const all = [...head, ...new Array<number>(8 - count).fill(0), ...foot];
  const bytes = new Uint8Array(16);
  for (const [index, group] of all.entries()) {
    bytes[index * 2] = group >> 8;
    bytes[index * 2 + 1] = group & 0xff;
  }
  if (tail !== undefined) bytes.set(tail, 12);
  return bytes;
}

function groups(text: string): number[] | undefined {
  if (text === "") return [];
  const values: number[] = [];
  for (const part of text.split(":")) {
    if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined;
    values.push(Number.parseInt(part, 16));
  }
  return values;
}

/** Canonical text of 4 or 16 bytes. */
export function ipText(bytes: Uint8Array): IpAddress {
  if (bytes.length === 4) return bytes.join(".") as IpAddress;
  const values: number[] = [];
  for (let index = 0; index < 16; index += 2)
    values.push(((bytes[index] as number) << 8) | (bytes[index + 1] as number));
  // RFC 5952 section 5: where an IPv4 address is inside, it is shown as one.
  if (isMapped(bytes)) return `::ffff:${bytes.subarray(12).join(".")}` as IpAddress;
  // RFC 5952 section 4.2: the longest run of two or more zero groups is shortened, the first of equals.
  let bestStart = -1;
  let bestLength = 1;
  for (let start = 0; start < 8; start += 1) {
    let length = 0;
    while (start + length < 8 && values[start + length] === 0) length += 1;
    if (length > bestLength) [bestStart, bestLength] = [start, length];
  }
  const hex = values.map((value) => value.toString(16));
  if (bestStart < 0) return hex.join(":") as IpAddress;
  return `${hex.slice(0, bestStart).join(":")}::${hex.slice(bestStart + bestLength).join(":")}` as IpAddress;
}

/** Canonical form of an IP address, or undefined. */
export function parseIpAddress(text: string): IpAddress | undefined {
  const bytes = ipBytes(text);
  return bytes && ipText(bytes);
}

/** Canonical form of `address:port`, or undefined. The port is 1 to 65535. */
export function parseSocketAddress(text: string): SocketAddress | undefined {
  const match = /^(?:\[([^\]]*)\]|([^:]*)):([1-9]\d{0,4})$/.exec(text);
  if (match === null) return undefined;
  const host = (match[1] ?? match[2]) as string;
  if ((match[1] !== undefined) !== host.includes(":")) return undefined;
  const ip = parseIpAddress(host);
  const port = Number(match[3]);
  return ip === undefined || port > 65_535 ? undefined : joinSocketAddress(ip, port);
}

export function joinSocketAddress(ip: string, port: number): SocketAddress {
  return (ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`) as SocketAddress;
}

/**
 * Canonical form of `address:port` or `name:port`, or undefined.
 * A name whose last label is a number would be taken for an IPv4 address by a resolver, as `0x7f.1` is; it is refused.
 */
export function parseServerAddress(text: string): SocketAddress | HostAddress | undefined {
  const socketAddress = parseSocketAddress(text);
  if (socketAddress !== undefined) return socketAddress;
  const match = /^([^:[\]]+):([1-9]\d{0,4})$/.exec(text);
  if (match === null || Number(match[2]) > 65_535) return undefined;
  const host = (match[1] as string).toLowerCase().replace(/\.$/, "");
  const labels = host.split(".");
  if (host.length > 253 || !labels.every((label) => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label)))
    return undefined;
  return /^(?:\d+|0x[0-9a-f]*)$/.test(labels.at(-1) as string) ? undefined : (`${host}:${match[2]}` as HostAddress);
}

/** Whether an address in canonical text is an IPv4 one. */
export function isIpv4(address: IpAddress): boolean {
  return !address.includes(":");
}

/** Whether the address is a name that has to be resolved. */
export function isHostAddress(address: SocketAddress | HostAddress): address is HostAddress {
  return parseIpAddress(splitSocketAddress(address).host) === undefined;
}

/** The two parts of a socket address. */
export function splitSocketAddress(address: SocketAddress | HostAddress): {
  readonly host: IpAddress;
  readonly port: number;
} {
  const colon = address.lastIndexOf(":");
  const host = address.slice(0, colon).replace(/^\[|\]$/g, "");
  return { host: host as IpAddress, port: Number(address.slice(colon + 1)) };
}

/**
 * Canonical form of a CIDR network, or undefined; bits beyond the prefix must be zero. A bare address is itself. A
 * network of IPv4-mapped addresses is the IPv4 network, for that is what {@link networkContains} compares with.
 */
export function parseNetwork(text: string): Network | undefined {
  const [address, prefix, extra] = text.split("/");
  const bytes = ipBytes(address as string);
  if (bytes === undefined || extra !== undefined) return undefined;
  if (prefix !== undefined && !/^(0|[1-9]\d{0,2})$/.test(prefix)) return undefined;
  const bits = prefix === undefined ? bytes.length * 8 : Number(prefix);
  if (bits > bytes.length * 8) return undefined;
  for (let bit = bits; bit < bytes.length * 8; bit += 1)
    if (((bytes[bit >> 3] as number) >> (7 - (bit & 7))) & 1) return undefined;
  if (bits >= 96 && isMapped(bytes)) return `${ipText(bytes.subarray(12))}/${bits - 96}` as Network;
  return `${ipText(bytes)}/${bits}` as Network;
}

/** A network taken apart, for matching. */
export interface NetworkBits {
  readonly bytes: Uint8Array;
  readonly prefixBits: number;
}

export function networkBits(network: Network): NetworkBits {
  const slash = network.indexOf("/");
  return { bytes: ipBytes(network.slice(0, slash)) as Uint8Array, prefixBits: Number(network.slice(slash + 1)) };
}

/**
 * Whether the address (4 or 16 bytes) is in the network. An IPv4-mapped IPv6 address counts as IPv4, and no IPv6 network
 * has IPv4 addresses in it: not `::/0` either.
 */
export function networkContains(network: NetworkBits, address: Uint8Array): boolean {
  const bytes = unmapped(address);
  if (bytes.length !== network.bytes.length) return false;
  const whole = network.prefixBits >> 3;
  for (let index = 0; index < whole; index += 1) if (bytes[index] !== network.bytes[index]) return false;
  const rest = network.prefixBits & 7;
  if (rest === 0) return true;
  return ((bytes[whole] as number) ^ (network.bytes[whole] as number)) >> (8 - rest) === 0;
}

/** An IPv4-mapped IPv6 address as its four bytes; anything else as it is. */
export function unmapped(address: Uint8Array): Uint8Array {
  return isMapped(address) ? address.subarray(12) : address;
}

/** Whether the bytes are `::ffff:a.b.c.d` (RFC 4291 section 2.5.5.2). */
function isMapped(address: Uint8Array): boolean {
  if (address.length !== 16 || address[10] !== 0xff || address[11] !== 0xff) return false;
  for (let index = 0; index < 10; index += 1) if (address[index] !== 0) return false;
  return true;
}
