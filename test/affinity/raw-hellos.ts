import { connect as connectTls } from "node:tls";
import { joinSocketAddress, splitSocketAddress } from "../../model/address.ts";
import {
  alpn,
  bytesOf,
  commonExtensions,
  type Extension,
  encryptedClientHello,
  extension,
  filler,
  hello,
  keyShare,
  preSharedKey,
  serverName,
  sessionTicket,
  supportedVersions,
  uint16Bytes,
} from "../corpus/hello-builder.ts";
import { connectPeer, type Peer } from "../support/peer.ts";
import type { Edge } from "./returning-client.ts";
import { ticketIn } from "./session-ticket.ts";
import type { FarmServer } from "./tls-farm.ts";

/** A TLS 1.3 hello with a ticket whose binder is wrong: nobody can make a right one who has not the session's secret. */
export function helloWithTicket(name: string, ticket: Uint8Array, more: readonly Extension[] = []): Uint8Array {
  return hello({
    sessionId: filler(32, 20),
    cipherSuites: [0x1301],
    extensions: [
      ...commonExtensions,
      keyShare(),
      supportedVersions(0x0304),
      serverName(name),
      ...more,
      preSharedKey(ticket),
    ],
  });
}

/** The same as Chrome sends it: GREASE (RFC 8701) wherever it may be, a post-quantum share, ECH, the name behind them. */
export function greasedHelloWithTicket(name: string, ticket: Uint8Array): Uint8Array {
  const shares = bytesOf(0x4a, 0x4a, 0, 1, 0, keyShare(0x11ec, 1216).data.subarray(2), keyShare().data.subarray(2));
  const groups = bytesOf(...[0x4a4a, 0x11ec, 0x001d, 0x0017].map(uint16Bytes));
  return hello({
    sessionId: filler(32, 20),
    cipherSuites: [0x3a3a, 0x1301],
    extensions: [
      extension(0x1a1a),
      extension(51, listOf(shares)),
      ...commonExtensions.map((each) => (each.type === 10 ? extension(10, listOf(groups)) : each)),
      sessionTicket(new Uint8Array(0)),
      encryptedClientHello(),
      supportedVersions(0x8a8a, 0x0304, 0x0303),
      alpn("http/1.1"),
      serverName(name),
      extension(0x5a5a, Uint8Array.of(0)),
      preSharedKey(filler(40, 5), ticket),
    ],
  });
}

/** Sends a hello, and answers what kind of record comes back first. The connection stays open. */
export async function answerTo(
  { host, port }: Edge,
  bytes: Uint8Array,
): Promise<{ kind: "alert" | "hello"; peer: Peer }> {
  const peer = await connectPeer(joinSocketAddress(host, port));
  peer.write(bytes);
  const [type] = await peer.receives(6);
  return { kind: type === 21 ? "alert" : "hello", peer };
}

/** A ticket straight from a server, for a suite whose hash is SHA-256. */
export async function ticketFrom({ address }: FarmServer): Promise<Uint8Array> {
  const suite = { ciphers: "TLS_AES_128_GCM_SHA256", minVersion: "TLSv1.3" } as const;
  const socket = connectTls({ ...splitSocketAddress(address), ...suite, rejectUnauthorized: false });
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.once("session", (session: Buffer) => {
      socket.destroy();
      resolve(ticketIn(session));
    });
  });
}

function listOf(bytes: Uint8Array): Uint8Array {
  return bytesOf(uint16Bytes(bytes.length), bytes);
}
