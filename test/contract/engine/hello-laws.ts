import { expect, it } from "vitest";
import { splitSocketAddress } from "../../../model/address.ts";
import { clientHelloBytes } from "../../support/client-hello-bytes.ts";
import type { EngineRig } from "../../support/engine-rig.ts";
import type { Peer } from "../../support/peer.ts";
import { rejectWith } from "../../support/recording-handler.ts";
import { waitFor } from "../../support/wait-for.ts";

/** How a hello may come. */
const deliveries: readonly (readonly [string, Buffer, number])[] = [
  ["whole", clientHelloBytes(), Number.POSITIVE_INFINITY],
  ["byte by byte", clientHelloBytes(), 1],
  ["in records of 10 bytes", clientHelloBytes({ fragmentBytes: 10 }), Number.POSITIVE_INFINITY],
  ["in records of 1 byte, cut at 7 bytes", clientHelloBytes({ fragmentBytes: 1 }), 7],
  ["with 15 KiB of padding, cut at 1460 bytes", clientHelloBytes({ paddingBytes: 15_360 }), 1460],
];

const sslv2Hello = Buffer.from("802e0103010015000000100000350000ff" + "00".repeat(31), "hex");

/** First bytes of a client that are never routed as TLS, with the reason. */
const rejected: readonly (readonly [string, Buffer, string])[] = [
  ["an HTTP request", Buffer.from("GET / HTTP/1.1\r\n\r\n"), "not_tls"],
  ["an SSLv2-format hello", sslv2Hello, "sslv2_hello"],
  ["an alert", Buffer.from("15030100020228", "hex"), "hello_not_first"],
  ["an empty record", Buffer.from("1603010000", "hex"), "hello_record"],
  ["a hello of 1025 bytes where 1024 are allowed", helloMessageOf(1025), "hello_too_big"],
  ["a name with a NUL", clientHelloBytes({ serverName: "a\0b.test" }), "name_character"],
  ["an empty name", clientHelloBytes({ serverName: "" }), "name_empty"],
];

export function helloLaws(rig: () => EngineRig): void {
  it.each(deliveries)("a hello that comes %s is decided on once", async (_how, hello, pieceBytes) => {
    const { handler } = rig();
    const listener = await rig().listen();
    const client = await rig().client(listener);
    await writeInPieces(client, hello, pieceBytes);
    await client.endsInOrder();
    client.end();
    const record = await handler.closedRecord();
    expect(handler.arrivals).toMatchObject([{ outcome: "complete", serverName: "app.test" }]);
    expect(record).toMatchObject({ reason: "no_route", bytesFromClient: hello.length });
    expect(record.helloMs).toBeGreaterThanOrEqual(0);
  });

  it("an arrival tells the listener, who came and where to", async () => {
    const { handler } = rig();
    const listener = await rig().listen({ name: "listeners/named" });
    const client = await rig().client(listener);
    const source = `127.0.0.1:${client.socket.localPort}`;
    client.write(clientHelloBytes());
    const arrival = await waitFor("an arrival", () => handler.arrivals[0]);
    expect(arrival).toMatchObject({ listener: "listeners/named", source, local: listener });
    client.reset();
    expect(await handler.closedRecord()).toMatchObject({ id: arrival.id, listener: "listeners/named", source });
  });

  it("the address of an IPv4 client at an IPv6 socket is an IPv4 address", async () => {
    const listener = await rig().listen({ addresses: ["[::ffff:127.0.0.1]:0" as never] });
    expect(splitSocketAddress(listener).host).toBe("127.0.0.1");
    const client = await rig().client(listener);
    client.write(clientHelloBytes());
    const arrival = await waitFor("an arrival", () => rig().handler.arrivals[0]);
    expect(arrival).toMatchObject({ source: `127.0.0.1:${client.socket.localPort}`, local: listener });
  });

  it("a hello without a name is complete", async () => {
    const client = await rig().client(await rig().listen());
    client.write(clientHelloBytes({ serverName: null }));
    await waitFor("an arrival", () => rig().handler.arrivals[0]);
    expect(rig().handler.arrivals).toMatchObject([{ outcome: "complete", serverName: null }]);
  });

  it.each(rejected)("%s is decided on as rejected", async (_what, bytes, reason) => {
    const { handler } = rig();
    handler.onDecide = ({ hello }) =>
      rejectWith({ alert: "decode_error", reason: hello.outcome === "rejected" ? hello.reason : "internal" });
    const client = await rig().client(await rig().listen({ helloBytesMax: 1024 }));
    client.write(bytes);
    await client.isOver();
    client.socket.destroy();
    expect(await handler.closedRecord()).toMatchObject({ reason, helloMs: -1, connectMs: -1, connectAttempts: 0 });
    expect(handler.arrivals).toMatchObject([{ outcome: reason }]);
  });

  it("a hello of exactly helloBytesMax bytes is complete", async () => {
    const client = await rig().client(await rig().listen({ helloBytesMax: 1024 }));
    client.write(helloMessageOf(1024));
    const arrival = await waitFor("an arrival", () => rig().handler.arrivals[0]);
    expect(arrival.outcome).toBe("complete");
  });

  it("the hello deadline is for the whole hello, not for each byte", async () => {
    const { handler } = rig();
    const client = await rig().client(await rig().listen({ helloDeadlineMs: 300 }));
    const hello = clientHelloBytes({ paddingBytes: 15_000 });
    let sent = 0;
    const drip = setInterval(() => {
      if (!client.socket.destroyed) client.write(hello.subarray(sent, ++sent));
    }, 5);
    const record = await handler.closedRecord().finally(() => clearInterval(drip));
    await client.isOver();
    expect(record).toMatchObject({ reason: "hello_timeout", context: undefined, helloMs: -1 });
    expect(record.bytesFromClient).toBeGreaterThan(1);
    expect(record.totalMs).toBeGreaterThanOrEqual(300);
    expect(handler.arrivals).toEqual([]);
  });

  it("a client that says nothing is closed at the hello deadline", async () => {
    const { handler } = rig();
    const client = await rig().client(await rig().listen({ helloDeadlineMs: 100 }));
    expect(await client.endsInOrder()).toHaveLength(0);
    expect(await handler.closedRecord()).toMatchObject({ reason: "hello_timeout", bytesFromClient: 0, helloMs: -1 });
    expect(handler.arrivals).toEqual([]);
  });

  const goings: readonly (readonly [string, number, (client: Peer) => void])[] = [
    ["closes before its first byte", 0, (client) => client.end()],
    ["closes amid its hello", 40, (client) => client.end()],
    ["resets before its first byte", 0, (client) => client.reset()],
    ["resets amid its hello", 40, (client) => client.reset()],
  ];
  it.each(goings)("a client that %s is not decided on", async (_how, length, go) => {
    const { handler, engine } = rig();
    const client = await rig().client(await rig().listen());
    client.write(clientHelloBytes().subarray(0, length));
    await waitFor("the connection to be accepted", () => engine.stats().accepted === 1);
    go(client);
    expect(await handler.closedRecord()).toMatchObject({ reason: "hello_aborted", context: undefined, helloMs: -1 });
    expect(handler.arrivals).toEqual([]);
  });

  it("pending hellos are counted until they are complete", async () => {
    const { engine, handler } = rig();
    const listener = await rig().listen();
    const clients = [await rig().client(listener), await rig().client(listener)];
    await waitFor("two pending hellos", () => engine.stats().hellosPending === 2);
    expect(engine.stats()).toMatchObject({ connections: 2, accepted: 2 });
    for (const client of clients) client.write(clientHelloBytes());
    await waitFor("no pending hello", () => engine.stats().hellosPending === 0);
    for (const client of clients) client.end();
    await handler.closedRecord(2);
    expect(engine.stats()).toMatchObject({ connections: 0, accepted: 2 });
  });
}

/** A hello whose handshake message has exactly so many bytes, in one record. */
function helloMessageOf(bytes: number): Buffer {
  const least = clientHelloBytes({ paddingBytes: 1 }).length - 5;
  return clientHelloBytes({ paddingBytes: 1 + bytes - least });
}

async function writeInPieces(client: Peer, bytes: Buffer, pieceBytes: number): Promise<void> {
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    client.write(bytes.subarray(at, at + pieceBytes));
    // A turn of the loop, so that the pieces are not joined on their way out.
    await new Promise((resolve) => setImmediate(resolve));
  }
}
