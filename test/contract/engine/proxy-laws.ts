import { expect, it } from "vitest";
import { proxyHeaderBytes, localProxyHeader } from "../../../dataplane/hello/proxy-header-bytes.ts";
import { proxyHeaderBytesMax } from "../../../dataplane/hello/proxy-header.ts";
import type { Network, SocketAddress } from "../../../model/address.ts";
import { clientHelloBytes } from "../../support/client-hello-bytes.ts";
import type { EngineRig } from "../../support/engine-rig.ts";
import type { Peer } from "../../support/peer.ts";
import { connectTo, rejectWith, waitWith } from "../../support/recording-handler.ts";
import { runSeed, seededRandom } from "../../support/seeded-random.ts";
import { waitFor } from "../../support/wait-for.ts";

const hello = clientHelloBytes();
const balancers = ["127.0.0.0/8" as Network];
const elsewhere = ["10.0.0.0/8" as Network];

const told = { source: "192.0.2.1:56324" as SocketAddress, destination: "192.0.2.2:443" as SocketAddress };
const told6 = { source: "[2001:db8::7]:1" as SocketAddress, destination: "[2001:db8::1]:443" as SocketAddress };
const uniqueId = new Uint8Array(40).fill(7);
const of = { ...told, serverName: "app.test", alpn: "h2", uniqueId };

const line = Buffer.from(proxyHeaderBytes({ version: 1, tlvs: [] }, of));
const block = Buffer.from(proxyHeaderBytes({ version: 2, tlvs: ["alpn", "authority", "crc32c", "unique_id"] }, of));
const block6 = Buffer.from(proxyHeaderBytes({ version: 2, tlvs: [] }, { ...of, ...told6 }));
const local = Buffer.from(localProxyHeader(2));
const unknown = Buffer.from(localProxyHeader(1));
const biggest = longBlock(proxyHeaderBytesMax);

/** Null addresses are the connection's own. */
const headers: readonly (readonly [string, Buffer, typeof told | null])[] = [
  ["version 1", line, told],
  ["version 1, UNKNOWN", unknown, null],
  ["version 2, with values", block, told],
  ["version 2, IPv6", block6, told6],
  ["version 2, LOCAL", local, null],
  ["version 2, as long as may be", biggest, told],
];

const refused: readonly (readonly [string, Buffer, readonly Network[], string])[] = [
  ["a hello without one, from a balancer", hello, balancers, "proxy_missing"],
  ["an HTTP request without one, from a balancer", Buffer.from("GET / HTTP/1.1\r\n\r\n"), balancers, "proxy_missing"],
  ["a line that can't be read", Buffer.from("PROXY TCP4 one two 3 4\r\n"), balancers, "proxy_malformed"],
  ["a line with a lone LF", Buffer.from("PROXY UNKNOWN\n"), balancers, "proxy_malformed"],
  ["a line that does not end", Buffer.from(`PROXY UNKNOWN ${"x".repeat(200)}`), balancers, "proxy_too_big"],
  ["a block of another version", damaged(block, 12, 0x31), balancers, "proxy_malformed"],
  ["a block with a wrong checksum", damaged(block, 16, 193), balancers, "proxy_malformed"],
  [
    "the head of a block that would be too big",
    longBlock(proxyHeaderBytesMax + 1).subarray(0, 16),
    balancers,
    "proxy_too_big",
  ],
  ["a line from no balancer", line, elsewhere, "proxy_untrusted"],
  ["a line, where there are no balancers", line, [], "proxy_untrusted"],
  ["a block, where there are no balancers", block, [], "proxy_untrusted"],
  ["a line that can't be read, where there are no balancers", Buffer.from("PROXY x\r\n"), [], "proxy_untrusted"],
  [
    "a block with the hello behind it, where there are no balancers",
    Buffer.concat([block, hello]),
    [],
    "proxy_untrusted",
  ],
];

export function proxyLaws(rig: () => EngineRig): void {
  it.each(headers)("a header of %s is believed and not passed on", async (_what, header, addresses) => {
    const { handler } = rig();
    const server = await rig().server();
    handler.onDecide = () => connectTo(server.address);
    const listener = await rig().listen({ proxyNetworks: balancers });
    const client = await rig().client(listener);
    const own = { source: `127.0.0.1:${client.socket.localPort}`, destination: listener };
    const { source, destination } = addresses ?? own;
    const behind = Buffer.alloc(3000, "early data");
    client.write(Buffer.concat([header, hello, behind]));
    const peer = await server.nextPeer();
    const received = await peer.receives(hello.length + behind.length);
    expect(received.equals(Buffer.concat([hello, behind]))).toBe(true);
    expect(handler.arrivals).toMatchObject([
      { source, local: destination, outcome: "complete", serverName: "app.test" },
    ]);
    client.reset();
    expect(await handler.closedRecord()).toMatchObject({ source });
  });

  it.each(headers)("a header of %s may be cut anywhere", async (_what, header) => {
    const { handler } = rig();
    const server = await rig().server((peer) => peer.socket.on("data", (chunk: Buffer) => peer.write(chunk)));
    handler.onDecide = () => connectTo(server.address);
    const listener = await rig().listen({ proxyNetworks: balancers });
    const stream = Buffer.concat([header, hello]);
    const random = seededRandom(runSeed());
    // Each cut of the short ones; of the long ones some, and those around the header's end.
    const cuts = Array.from({ length: stream.length - 1 }, (_cut, index) => index + 1).filter(
      (at) => stream.length < 400 || Math.abs(at - header.length) < 8 || at < 20 || random() < 0.05,
    );
    const clients = await Promise.all(cuts.map(() => rig().client(listener)));
    for (const [index, client] of clients.entries()) client.write(stream.subarray(0, cuts[index]));
    await waitFor("the first parts", () => rig().engine.stats().hellosPending === clients.length);
    for (const [index, client] of clients.entries()) client.write(stream.subarray(cuts[index]));
    for (const client of clients) expect((await client.receives(hello.length)).equals(hello)).toBe(true);
    expect(handler.arrivals).toHaveLength(clients.length);
  });

  it("a header that comes byte by byte is believed", async () => {
    const { handler } = rig();
    const listener = await rig().listen({ proxyNetworks: balancers });
    for (const header of [line, block]) {
      const client = await rig().client(listener);
      await drip(client, Buffer.concat([header, hello]));
      expect((await client.endsInOrder()).toString("hex")).toBe("15030300020270");
    }
    expect(handler.arrivals).toMatchObject([
      { outcome: "complete", source: told.source },
      { outcome: "complete", source: told.source },
    ]);
  });

  it.each(refused)("%s is refused, without a byte", async (_what, bytes, proxyNetworks, reason) => {
    const { handler } = rig();
    handler.onDecide = ({ hello: outcome }) =>
      rejectWith({ alert: "decode_error", reason: outcome.outcome === "rejected" ? outcome.reason : "internal" });
    const client = await rig().client(await rig().listen({ proxyNetworks }));
    const source = `127.0.0.1:${client.socket.localPort}`;
    client.write(bytes);
    expect(await client.endsInOrder()).toHaveLength(0);
    client.end();
    expect(await handler.closedRecord()).toMatchObject({ reason, source, helloMs: -1 });
    expect(handler.arrivals).toMatchObject([{ outcome: reason, source }]);
  });

  it("a peer of no balancer needs no header, on a listener that has balancers", async () => {
    const client = await rig().client(await rig().listen({ proxyNetworks: elsewhere }));
    client.write(hello);
    await waitFor("an arrival", () => rig().handler.arrivals[0]);
    expect(rig().handler.arrivals).toMatchObject([{ outcome: "complete" }]);
  });

  it("a second header is no hello", async () => {
    const client = await rig().client(await rig().listen({ proxyNetworks: balancers }));
    client.write(Buffer.concat([line, line, hello]));
    await waitFor("an arrival", () => rig().handler.arrivals[0]);
    expect(rig().handler.arrivals).toMatchObject([{ outcome: "not_tls", source: told.source }]);
  });

  it("what is no TLS goes its way behind a header", async () => {
    const server = await rig().server();
    rig().handler.onDecide = () => connectTo(server.address);
    const client = await rig().client(await rig().listen({ proxyNetworks: balancers }));
    client.write(Buffer.concat([block, Buffer.from("SSH-2.0-OpenSSH_9.2\r\n")]));
    expect((await (await server.nextPeer()).receives(21)).toString()).toBe("SSH-2.0-OpenSSH_9.2\r\n");
    expect(rig().handler.arrivals).toMatchObject([{ outcome: "not_tls", source: told.source }]);
  });

  it.each([0, 5, line.length, line.length + 20])(
    "the hello deadline is for header and hello together: %i bytes of them",
    async (length) => {
      const { handler } = rig();
      const listener = await rig().listen({ proxyNetworks: balancers, helloDeadlineMs: 150 });
      const client = await rig().client(listener);
      const source = `127.0.0.1:${client.socket.localPort}`;
      client.write(Buffer.concat([line, hello]).subarray(0, length));
      await client.isOver();
      expect(await handler.closedRecord()).toMatchObject({ reason: "hello_timeout", source });
      expect(handler.arrivals).toEqual([]);
    },
  );

  it("a header is not passed on after a wait, nor to a second server", async () => {
    const { engine, handler } = rig();
    const refusing = await rig().server();
    await refusing.close();
    const server = await rig().server();
    handler.onDecide = () => waitWith();
    handler.onRedecide = () => connectTo(server.address);
    const client = await rig().client(await rig().listen({ proxyNetworks: balancers }));
    client.write(Buffer.concat([line, hello]));
    const { id } = await waitFor("the verdict", () => handler.arrivals[0]);
    engine.answer(id, connectTo(refusing.address));
    expect((await (await server.nextPeer()).receives(hello.length)).equals(hello)).toBe(true);
    client.reset();
    expect(await handler.closedRecord()).toMatchObject({ source: told.source, connectAttempts: 2 });
  });

  it("the next connection of a place has its own addresses again", async () => {
    const { handler } = rig();
    const trusting = await rig().listen({ proxyNetworks: balancers });
    const plain = await rig().listen({ name: "listeners/plain" });
    for (let round = 1; round <= 8; round += 1) {
      const client = await rig().client(round % 2 === 1 ? trusting : plain);
      const source = round % 2 === 1 ? told.source : `127.0.0.1:${client.socket.localPort}`;
      client.write(round % 2 === 1 ? Buffer.concat([line, hello]) : hello);
      await client.endsInOrder();
      client.end();
      expect(await handler.closedRecord(round)).toMatchObject({ source });
    }
  });
}

function damaged(header: Buffer, at: number, byte: number): Buffer {
  const copy = Buffer.from(header);
  copy[at] = byte;
  return copy;
}

/** A block for these addresses of exactly so many bytes, filled up by a NOOP value. */
function longBlock(bytes: number): Buffer {
  const plain = Buffer.from(proxyHeaderBytes({ version: 2, tlvs: [] }, of));
  const noop = Buffer.alloc(bytes - plain.length);
  noop[0] = 4;
  noop.writeUInt16BE(noop.length - 3, 1);
  const whole = Buffer.concat([plain, noop]);
  whole.writeUInt16BE(whole.length - 16, 14);
  return whole;
}

async function drip(client: Peer, bytes: Buffer): Promise<void> {
  for (const byte of bytes) {
    client.write(Uint8Array.of(byte));
    await new Promise((resolve) => setImmediate(resolve));
  }
}
