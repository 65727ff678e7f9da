import { ipBytes, ipText, joinSocketAddress, type SocketAddress } from "../../model/address.ts";
import { unmapped } from "./mapped-address.ts";
import type { ProxyAddresses } from "./proxy-header.ts";

const addressForms: ReadonlyMap<string, number> = new Map([
  ["TCP4", 4],
  ["TCP6", 16],
]);

/**
 * Reads what stands between `PROXY ` and CRLF in a header of version 1 (section 2.1).
 *
 * @returns the addresses; null for UNKNOWN, whatever follows the word; undefined where the line is not one
 */
export function readProxyLine(line: string): ProxyAddresses | null | undefined {
  if (line === "UNKNOWN" || line.startsWith("UNKNOWN ")) return null;
  const [form, source, destination, sourcePort, destinationPort, ...more] = line.split(" ");
  const addressBytes = addressForms.get(form as string);
  if (addressBytes === undefined || destinationPort === undefined || more.length > 0) return undefined;
  const from = socketAddress(source as string, sourcePort as string, addressBytes);
  const to = socketAddress(destination as string, destinationPort, addressBytes);
  return from === undefined || to === undefined ? undefined : { source: from, destination: to };
}

/** The document allows port 0. Leading zeros are refused: readers differ in whether they are octal. */
function socketAddress(address: string, port: string, addressBytes: number): SocketAddress | undefined {
  const bytes = ipBytes(address);
  if (bytes === undefined || bytes.length !== addressBytes) return undefined;
  if (!/^(0|[1-9]\d{0,4})$/.test(port) || Number(port) > 65_535) return undefined;
  return joinSocketAddress(ipText(unmapped(bytes)), Number(port));
}
