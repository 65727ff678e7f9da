import { expect, it } from "vitest";
import { type IpAddress, joinSocketAddress, splitSocketAddress, type SocketAddress } from "../../../model/address.ts";
import { clientHelloBytes } from "../../support/client-hello-bytes.ts";
import type { EngineRig } from "../../support/engine-rig.ts";
import { PeerServer } from "../../support/peer-server.ts";
import { connectTo, rejectWith } from "../../support/recording-handler.ts";
import { SilentListener } from "../../support/silent-listener.ts";
import { waitFor } from "../../support/wait-for.ts";

const hello = clientHelloBytes();

export function connectLaws(rig: () => EngineRig): void {
  it.each([
    ["a hello in one record", clientHelloBytes()],
    ["a hello in records of 9 bytes", clientHelloBytes({ fragmentBytes: 9 })],
    ["a hello of 60 KiB", clientHelloBytes({ paddingBytes: 60_000 })],
    ["what is no TLS", Buffer.from("SSH-2.0-OpenSSH_9.2\r\n")],
  ])("the server gets the prefix, then %s as it came, then what the client sent behind it", async (_what, first) => {
    const server = await rig().server();
    const prefix = Buffer.from("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n");
    rig().handler.onDecide = () => connectTo(server.address, { prefix });
    const client = await rig().client(await rig().listen({ helloBytesMax: 65_536 }));
    const sent = Buffer.concat([first, Buffer.alloc(3000, "early data")]);
    client.write(sent);
    const peer = await server.nextPeer();
    const received = await peer.receives(prefix.length + sent.length);
    expect(received.equals(Buffer.concat([prefix, sent]))).toBe(true);
  });

  it("an address of IPv6 is listened on and connected to", async () => {
    const server = await rig().server(undefined, "::1");
    rig().handler.onDecide = () => connectTo(server.address);
    const listener = await rig().listen({ addresses: [joinSocketAddress("::1", 0)] });
    expect(splitSocketAddress(listener).host).toBe("::1");
    await rig().spliceThrough(listener, server);
    expect(rig().handler.arrivals[0]?.source).toMatch(/^\[::1\]:/);
  });

  it("after a server that refuses, redecide is asked, and the next server gets everything", async () => {
    const { handler } = rig();
    const refusing = await refusingAddress();
    const server = await rig().server();
    const prefix = Buffer.from("header for the second");
    handler.onDecide = () => connectTo(refusing, { context: "first", prefix: Buffer.from("header for the first") });
    handler.onRedecide = ({ attempt }) =>
      attempt === 1
        ? connectTo(refusing, { context: "second" })
        : connectTo(server.address, { context: "third", prefix });
    const client = await rig().client(await rig().listen());
    client.write(hello);
    const peer = await server.nextPeer();
    expect(await peer.receives(prefix.length + hello.length)).toEqual(Buffer.concat([prefix, hello]));
    const { id } = handler.arrivals[0]!;
    expect(handler.redecisions).toEqual([
      { id, context: "first", failure: "refused", attempt: 1 },
      { id, context: "second", failure: "refused", attempt: 2 },
    ]);
    client.reset();
    const record = await handler.closedRecord();
    expect(record).toMatchObject({ context: "third", connectAttempts: 3, reason: "client_reset" });
    expect(record.connectMs).toBeGreaterThanOrEqual(0);
  });

  it("when redecide rejects, the client gets the alert", async () => {
    const { handler } = rig();
    const refusing = await refusingAddress();
    handler.onDecide = () => connectTo(refusing, { context: "first" });
    handler.onRedecide = () => rejectWith({ alert: "internal_error", reason: "connect_failed", context: "last" });
    const client = await rig().client(await rig().listen());
    client.write(hello);
    expect((await client.endsInOrder()).toString("hex")).toBe("15030300020250");
    client.end();
    const record = await handler.closedRecord();
    expect(record).toMatchObject({ reason: "connect_failed", context: "last", connectAttempts: 1, connectMs: -1 });
    expect(record.helloMs).toBeGreaterThanOrEqual(0);
  });

  it("an attempt that takes longer than connectTimeoutMs has failed with timeout", async () => {
    const { handler } = rig();
    const silent = rig().keep(await SilentListener.listen());
    handler.onDecide = () => connectTo(silent.address, { connectTimeoutMs: 100 });
    handler.onRedecide = () => rejectWith({ alert: "internal_error", reason: "connect_timeout" });
    const client = await rig().client(await rig().listen());
    client.write(hello);
    expect((await client.endsInOrder()).toString("hex")).toBe("15030300020250");
    expect(handler.redecisions).toMatchObject([{ failure: "timeout", attempt: 1 }]);
  });

  it("what the client sends while servers are sought reaches the one that answers, in order", async () => {
    const { handler } = rig();
    const silent = rig().keep(await SilentListener.listen());
    const server = await rig().server();
    handler.onDecide = () => connectTo(silent.address, { connectTimeoutMs: 200 });
    handler.onRedecide = () => connectTo(server.address);
    const client = await rig().client(await rig().listen());
    const more = Buffer.alloc(300_000, "0123456789abcdef!");
    client.write(hello);
    await waitFor("the verdict", () => handler.arrivals.length === 1);
    client.write(more);
    const received = await (await server.nextPeer()).receives(hello.length + more.length);
    expect(received.equals(Buffer.concat([hello, more]))).toBe(true);
  });

  it.each(["reset", "end"] as const)(
    "a TLS client that goes away by %s while a server is sought ends the search",
    async (go) => {
      const { handler } = rig();
      const silent = rig().keep(await SilentListener.listen());
      handler.onDecide = () => connectTo(silent.address);
      const client = await rig().client(await rig().listen());
      client.write(hello);
      await waitFor("the verdict", () => handler.arrivals.length === 1);
      client[go]();
      expect(await handler.closedRecord()).toMatchObject({ reason: "client_gone", connectAttempts: 1, connectMs: -1 });
      expect(handler.redecisions).toEqual([]);
    },
  );

  it("a client that speaks no TLS may end its stream while a server is sought: its FIN is passed on", async () => {
    const { handler } = rig();
    const silent = rig().keep(await SilentListener.listen());
    const server = await rig().server();
    handler.onDecide = () => connectTo(silent.address, { connectTimeoutMs: 200 });
    handler.onRedecide = () => connectTo(server.address);
    const client = await rig().client(await rig().listen());
    client.write("GET / HTTP/1.0\r\n\r\n");
    client.end();
    const peer = await server.nextPeer();
    expect((await peer.endsInOrder()).toString()).toBe("GET / HTTP/1.0\r\n\r\n");
    peer.write("the answer");
    peer.end();
    expect((await client.endsInOrder()).toString()).toBe("the answer");
    expect(await handler.closedRecord()).toMatchObject({ reason: "done" });
  });

  it.each([
    [0, 0],
    [1, 1],
    [2500, 2500],
    [100_000, 3000],
  ])(
    "of the server's first 3000 bytes a tap of %i shows %i, and the client gets all",
    async (tapServerBytesMax, shown) => {
      const { handler } = rig();
      const { client, server } = await rig().splice({ tapServerBytesMax, context: "tapped" });
      const flight = Buffer.concat([record(22, 2000), record(20, 1), record(21, 984)]);
      for (let at = 0; at < flight.length; at += 1000) {
        server.write(flight.subarray(at, at + 1000));
        await client.receives(at + 1000);
      }
      expect((await client.receives(flight.length)).equals(flight)).toBe(true);
      const seen = (): number => handler.tapped.reduce((sum, { bytes }) => sum + bytes.length, 0);
      await waitFor("the tap", () => seen() >= shown);
      client.reset();
      await handler.closedRecord();
      const { id } = handler.arrivals[0]!;
      for (const call of handler.tapped) expect(call).toMatchObject({ id, context: "tapped" });
      expect(Buffer.concat(handler.tapped.map(({ bytes }) => bytes))).toEqual(flight.subarray(0, shown));
    },
  );

  const clear = Buffer.concat([record(22, 90), record(20, 1), record(22, 0)]);
  it.each<readonly [string, Buffer, number]>([
    ["application data, with the byte that begins it", Buffer.concat([clear, record(23, 200), record(22, 50)]), 107],
    ["a byte that begins no record", Buffer.concat([clear, Buffer.from("220 ready\r\n")]), 107],
    ["a version that no record has", Buffer.concat([clear, Buffer.of(22, 2, 0, 0, 1, 0)]), 108],
    ["as many bytes as were asked for", Buffer.concat([clear, record(21, 2), record(24, 9)]), 16_384],
  ])("a tap shows the server's records up to %s, however they are cut", async (_what, flight, shown) => {
    const { handler } = rig();
    const server = await rig().server();
    handler.onDecide = () => connectTo(server.address, { tapServerBytesMax: 16_384 });
    const listener = await rig().listen();
    const tapped = (of: number): Buffer =>
      Buffer.concat(handler.tapped.filter(({ id }) => id === of).map(({ bytes }) => bytes));
    for (const pieceBytes of [1, 3, 50, 10_000]) {
      const pair = await rig().spliceThrough(listener, server);
      const { id } = handler.arrivals.at(-1)!;
      for (let at = 0; at < flight.length; at += pieceBytes) {
        pair.server.write(flight.subarray(at, at + pieceBytes));
        await pair.client.receives(Math.min(at + pieceBytes, flight.length));
      }
      // What is behind the flight is passed on, and is no more of it.
      pair.server.write(record(22, 30_000).subarray(0, 20_000));
      expect((await pair.client.receives(flight.length + 20_000)).subarray(0, flight.length).equals(flight)).toBe(true);
      pair.client.reset();
      await waitFor("the end", () => handler.records.some((ended) => ended.id === id));
      expect(tapped(id)).toHaveLength(shown);
      expect(flight.subarray(0, shown).equals(tapped(id).subarray(0, flight.length))).toBe(true);
    }
  });

  it("a connection is made from the address that the verdict says", async () => {
    const { handler } = rig();
    const server = await rig().server();
    handler.onDecide = () => connectTo(server.address, { source: "127.0.0.9" as IpAddress });
    await rig().spliceThrough(await rig().listen(), server);
    expect(server.peers[0]!.socket.remoteAddress).toBe("127.0.0.9");
    const server6 = await rig().server(undefined, "::1");
    handler.onDecide = () => connectTo(server6.address, { source: "::1" as IpAddress });
    await rig().spliceThrough(await rig().listen(), server6);
    expect(server6.peers[0]!.socket.remoteAddress).toBe("::1");
  });

  it.each(["2001:db8::1", "::1"])(
    "from %s, which can't reach an IPv4 server, an attempt fails with local_limit",
    async (source) => {
      const { handler } = rig();
      const server = await rig().server();
      handler.onDecide = () => connectTo(server.address, { source: source as IpAddress });
      const client = await rig().client(await rig().listen());
      client.write(hello);
      await client.isOver();
      expect(handler.redecisions).toMatchObject([{ failure: "local_limit", attempt: 1 }]);
      expect(server.peers).toEqual([]);
    },
  );

  it("the server may speak first", async () => {
    const server = await rig().server((peer) => peer.write("220 ready\r\n"));
    rig().handler.onDecide = () => connectTo(server.address);
    const client = await rig().client(await rig().listen());
    client.write(hello);
    expect((await client.receives(11)).toString()).toBe("220 ready\r\n");
  });
}

/** A TLS record whose fragment says nothing. */
function record(type: number, length: number): Buffer {
  return Buffer.concat([Buffer.of(type, 3, 3, length >> 8, length & 0xff), Buffer.alloc(length, type)]);
}

/** An address of loopback that nobody listens on. */
async function refusingAddress(): Promise<SocketAddress> {
  const server = await PeerServer.listen();
  await server.close();
  return server.address;
}
