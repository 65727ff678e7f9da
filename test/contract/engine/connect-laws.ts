import { expect, it } from "vitest";
import { joinSocketAddress, splitSocketAddress, type SocketAddress } from "../../../model/address.ts";
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
      const flight = Buffer.alloc(3000, "ServerHello");
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

  it("the server may speak first", async () => {
    const server = await rig().server((peer) => peer.write("220 ready\r\n"));
    rig().handler.onDecide = () => connectTo(server.address);
    const client = await rig().client(await rig().listen());
    client.write(hello);
    expect((await client.receives(11)).toString()).toBe("220 ready\r\n");
  });
}

/** An address of loopback that nobody listens on. */
async function refusingAddress(): Promise<SocketAddress> {
  const server = await PeerServer.listen();
  await server.close();
  return server.address;
}
