import { ipBytes, ipText, joinSocketAddress, type SocketAddress, splitSocketAddress } from "../../model/address.ts";

/** Socket addresses as the engine's records carry them: 16 bytes of IP (4 for IPv4), the port, the family. */
export const packedAddressBytes = 20;

const portOffset = 16;
/** Of the family in a packed address. */
export const familyOffset = 18;

/** A socket address out of a record, whose text is made when it is asked for. */
export class NativeAddress {
  readonly #port: number;
  /** An IPv4 address as one number, which spares an object on the way of every connection. */
  readonly #ipv4: number;
  readonly #ipv6: Uint8Array | null;

  /** Copies the address at `at`, so the record may go. */
  constructor(records: Uint8Array, ports: Uint16Array, at: number) {
    this.#port = ports[(at + portOffset) >> 1] as number;
    if (records[at + familyOffset] === 6) {
      this.#ipv4 = 0;
      this.#ipv6 = records.slice(at, at + 16);
    } else {
      const [first, second, third, fourth] = [records[at], records[at + 1], records[at + 2], records[at + 3]];
      this.#ipv4 =
        ((first as number) << 24) | ((second as number) << 16) | ((third as number) << 8) | (fourth as number);
      this.#ipv6 = null;
    }
  }

  text(): SocketAddress {
    const bits = this.#ipv4;
    const ip =
      this.#ipv6 === null
        ? `${bits >>> 24}.${(bits >>> 16) & 0xff}.${(bits >>> 8) & 0xff}.${bits & 0xff}`
        : ipText(this.#ipv6);
    return joinSocketAddress(ip, this.#port);
  }
}

/** The 20 bytes of an address; an IPv4-mapped IPv6 address becomes the IPv4 address. Throws on what is no address. */
export function packAddress(address: SocketAddress): Uint8Array {
  const { host, port } = splitSocketAddress(address);
  const bytes = ipBytes(host);
  if (bytes === undefined || !Number.isInteger(port) || port < 0 || port > 65_535)
    throw new RangeError(`not a socket address: ${address}`);
  const ip = bytes.length === 16 && isMapped(bytes) ? bytes.subarray(12) : bytes;
  const packed = new Uint8Array(packedAddressBytes);
  packed.set(ip);
  new Uint16Array(packed.buffer, portOffset, 1)[0] = port;
  packed[familyOffset] = ip.length === 4 ? 4 : 6;
  return packed;
}

export function unpackAddress(packed: Uint8Array): SocketAddress {
  const aligned = packed.slice(0, packedAddressBytes);
  return new NativeAddress(aligned, new Uint16Array(aligned.buffer), 0).text();
}

/** `::ffff:0:0/96` (RFC 4291 section 2.5.5.2). */
function isMapped(bytes: Uint8Array): boolean {
  return bytes[10] === 0xff && bytes[11] === 0xff && bytes.subarray(0, 10).every((byte) => byte === 0);
}
