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
  const address = ipBytes(text.slice(1, bracket)) as Uint8Array;
  return { address: unmapped(address), port: Number(text.slice(bracket + 2)) };
}
