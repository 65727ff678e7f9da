import { ipBytes, type SocketAddress } from "../../model/address.ts";
import { unmapped } from "./mapped-address.ts";

/** One end of a connection, as a PROXY header writes it. */
export interface ProxyEndpoint {
  /** 4 bytes, or 16 that are no IPv4-mapped address. */
  readonly address: Uint8Array;
  readonly port: number;
}

const dot = 0x2e;
const colon = 0x3a;
const zero = 0x30;
const letterA = 0x61;

/** Takes a socket address apart. It is done for each connection, so that the common form has a way of its own. */
export function proxyEndpoint(text: SocketAddress): ProxyEndpoint {
  return text.startsWith("[") ? endpointV6(text) : endpointV4(text);
}

/** The text is canonical, as the type says: four numbers, three dots, a colon, a port. */
function endpointV4(text: SocketAddress): ProxyEndpoint {
  const address = new Uint8Array(4);
  let part = 0;
  let value = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === dot || code === colon) {
      address[part] = value;
      part += 1;
      value = 0;
    } else {
      value = value * 10 + code - zero;
    }
  }
  return { address, port: value };
}

function endpointV6(text: SocketAddress): ProxyEndpoint {
  const bracket = text.indexOf("]");
  const host = text.slice(1, bracket);
  const address = host.includes(".") ? unmapped(ipBytes(host) as Uint8Array) : unmapped(groups(host));
  return { address, port: Number(text.slice(bracket + 2)) };
}

/** The text is canonical: groups of hexadecimal digits, at most one `::`. */
function groups(host: string): Uint8Array {
  const address = new Uint8Array(16);
  let written = 0;
  let gapAt = 16;
  let value = -1;
  for (let at = 0; at <= host.length; at += 1) {
    const code = at < host.length ? host.charCodeAt(at) : colon;
    if (code !== colon) {
      value = (value < 0 ? 0 : value << 4) | (code > colon ? code - letterA + 10 : code - zero);
    } else if (value >= 0) {
      address[written] = value >> 8;
      address[written + 1] = value & 0xff;
      written += 2;
      value = -1;
    } else if (at < host.length) {
      gapAt = written;
    }
  }
  // What stands behind the `::` moves to the end.
  if (written < 16 && gapAt < written) {
    address.copyWithin(16 - (written - gapAt), gapAt, written);
    address.fill(0, gapAt, 16 - (written - gapAt));
  }
  return address;
}
