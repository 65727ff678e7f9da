import { expect, it } from "vitest";
import { clientHelloBytes } from "../../support/client-hello-bytes.ts";
import type { EngineRig } from "../../support/engine-rig.ts";
import type { Peer } from "../../support/peer.ts";
import { PeerServer } from "../../support/peer-server.ts";
import { connectTo, rejectWith, waitWith } from "../../support/recording-handler.ts";
import { SilentListener } from "../../support/silent-listener.ts";
import { waitFor } from "../../support/wait-for.ts";

const hello = clientHelloBytes();

/** A connection that has been told to wait. */
interface Waiting {
  readonly id: number;
  readonly client: Peer;
}

export function waitLaws(rig: () => EngineRig): void {
  it("a connection that waits gets the server that answer brings, with all that its client sent", async () => {
    const { engine, handler } = rig();
    const server = await rig().server();
    const { id, client } = await waiting(rig());
    const more = Buffer.alloc(30_000, "early data");
    client.write(more);
    const prefix = Buffer.from("header");
    engine.answer(id, connectTo(server.address, { prefix, context: "answered" }));
    const peer = await server.nextPeer();
    const wanted = Buffer.concat([prefix, hello, more]);
    expect((await peer.receives(wanted.length)).equals(wanted)).toBe(true);
    peer.write("the answer");
    expect((await client.receives(10)).toString()).toBe("the answer");
    client.reset();
    const record = await handler.closedRecord();
    expect(record).toMatchObject({ reason: "client_reset", context: "answered", connectAttempts: 1 });
    expect(record.connectMs).toBeGreaterThanOrEqual(0);
  });

  it("a connection that waits is refused with the alert that answer brings", async () => {
    const { engine, handler } = rig();
    const { id, client } = await waiting(rig());
    engine.answer(id, rejectWith({ alert: "internal_error", reason: "queue_timeout", context: "late" }));
    expect((await client.endsInOrder()).toString("hex")).toBe("15030300020250");
    client.end();
    const record = await handler.closedRecord();
    expect(record).toMatchObject({ reason: "queue_timeout", context: "late", connectAttempts: 0, connectMs: -1 });
  });

  it("no deadline runs while a connection waits", async () => {
    const { engine } = rig();
    const server = await rig().server();
    const { id, client } = await waiting(rig(), { helloDeadlineMs: 200, clientIdleTimeoutMs: 200 });
    // One that says nothing, and came later, shows that both times have passed.
    const other = await rig().client(engine.boundAddresses("listeners/edge")[0]!);
    await other.isOver();
    await rig().handler.closedRecord();
    expect(engine.stats()).toMatchObject({ connections: 1, hellosPending: 0 });
    engine.answer(id, connectTo(server.address));
    await (await server.nextPeer()).receives(hello.length);
    expect(client.errorCode).toBe("");
  });

  it.each(["reset", "end"] as const)(
    "a TLS client that goes away by %s while it waits is closed at once, and no answer reaches it",
    async (go) => {
      const { engine, handler } = rig();
      const server = await rig().server();
      const { id, client } = await waiting(rig());
      // By the time that a thread of the engine has seen it go, an answer may be on its way to it.
      handler.onClosed = () => engine.answer(id, connectTo(server.address, { context: "too late" }));
      client[go]();
      const record = await handler.closedRecord();
      expect(record).toMatchObject({ reason: "client_gone", context: "the wait", connectAttempts: 0, connectMs: -1 });
      engine.answer(id, connectTo(server.address));
      expect(server.peers).toEqual([]);
    },
  );

  it("an answer to a client that has gone unheard is ignored, and closed has the context of the wait", async () => {
    const { engine, handler } = rig();
    const server = await rig().server();
    for (let round = 1; round <= 20; round += 1) {
      const { id, client } = await waiting(rig());
      client.reset();
      // The RST goes out when the socket is destroyed, behind this turn's code; the engine may see it first or not.
      await new Promise((resolve) => setImmediate(resolve));
      engine.answer(id, connectTo(server.address, { context: "answered" }));
      const { context, connectAttempts } = await handler.closedRecord(round);
      expect(context).toBe(connectAttempts === 0 ? "the wait" : "answered");
    }
  });

  it("a client that speaks no TLS may end its stream while it waits", async () => {
    const { engine } = rig();
    const server = await rig().server();
    const { id, client } = await waiting(rig(), {}, Buffer.from("GET / HTTP/1.0\r\n\r\n"));
    client.end();
    // Whoever comes behind that FIN is decided on when it has been there for a while.
    (await rig().client(engine.boundAddresses("listeners/edge")[0]!)).write(hello);
    await waitFor("another verdict", () => rig().handler.arrivals.length === 2);
    engine.answer(id, connectTo(server.address));
    const peer = await server.nextPeer();
    expect((await peer.endsInOrder()).toString()).toBe("GET / HTTP/1.0\r\n\r\n");
    peer.write("the answer");
    peer.end();
    expect((await client.endsInOrder()).toString()).toBe("the answer");
  });

  it("what a client sends while it waits is bounded, and arrives", async () => {
    const { engine } = rig();
    const server = await rig().server();
    const { id, client } = await waiting(rig());
    const more = Buffer.alloc(64 * 2 ** 20, "0123456789abcdef!");
    client.write(more);
    const taken = (): number => client.socket.bytesWritten - client.socket.writableLength;
    let last = -1;
    let looks = 0;
    await waitFor("the client to be held up", () => {
      looks = taken() === last ? looks + 1 : 0;
      last = taken();
      return looks >= 100;
    });
    expect(last).toBeLessThan(32 * 2 ** 20);
    engine.answer(id, connectTo(server.address));
    const peer = await server.nextPeer();
    const received = await peer.receives(hello.length + more.length);
    expect(received.subarray(hello.length).equals(more)).toBe(true);
  });

  it("redecide may have it wait, and it may wait again", async () => {
    const { engine, handler } = rig();
    const gone = await PeerServer.listen();
    await gone.close();
    const server = await rig().server();
    handler.onDecide = () => connectTo(gone.address, { context: "first" });
    handler.onRedecide = ({ attempt }) => waitWith(`wait ${attempt}`);
    const client = await rig().client(await rig().listen());
    client.write(hello);
    await waitFor("the first redecision", () => handler.redecisions.length === 1);
    const { id } = handler.arrivals[0]!;
    engine.answer(id, connectTo(gone.address, { context: "second" }));
    await waitFor("the second redecision", () => handler.redecisions.length === 2);
    engine.answer(id, connectTo(server.address, { context: "third" }));
    await (await server.nextPeer()).receives(hello.length);
    expect(handler.redecisions).toEqual([
      { id, context: "first", failure: "refused", attempt: 1 },
      { id, context: "second", failure: "refused", attempt: 2 },
    ]);
    client.reset();
    expect(await handler.closedRecord()).toMatchObject({ context: "third", connectAttempts: 3 });
  });

  it("a client that goes away while it waits for a second server is closed with that wait's context", async () => {
    const { handler } = rig();
    const gone = await PeerServer.listen();
    await gone.close();
    handler.onDecide = () => connectTo(gone.address, { context: "first" });
    handler.onRedecide = () => waitWith("second wait");
    const client = await rig().client(await rig().listen());
    client.write(hello);
    await waitFor("the redecision", () => handler.redecisions.length === 1);
    client.end();
    const record = await handler.closedRecord();
    expect(record).toMatchObject({ reason: "client_gone", context: "second wait", connectAttempts: 1 });
  });

  it.each([
    ["abort", "queue_timeout"],
    ["close", "shutdown"],
  ] as const)("%s ends a connection that waits", async (how, reason) => {
    const { engine, handler } = rig();
    const { id, client } = await waiting(rig());
    if (how === "abort") engine.abort(id, reason);
    else await engine.close(0);
    await client.isOver();
    expect(await handler.closedRecord()).toMatchObject({ reason, context: "the wait" });
    engine.answer(id, rejectWith());
  });

  it("an answer to a connection that does not wait, or never was, does nothing", async () => {
    const { engine, handler } = rig();
    const { client, server } = await rig().splice({ context: "kept" });
    engine.answer(handler.arrivals[0]!.id, rejectWith({ context: "other" }));
    engine.answer(987_654_321, rejectWith());
    client.write("still here");
    await server.receives(hello.length + 10);
    client.reset();
    expect(await handler.closedRecord()).toMatchObject({ reason: "client_reset", context: "kept" });
  });

  it("of two answers the first holds", async () => {
    const { engine, handler } = rig();
    const server = await rig().server();
    const { id, client } = await waiting(rig());
    engine.answer(id, connectTo(server.address, { context: "first" }));
    engine.answer(id, rejectWith({ context: "second" }));
    await (await server.nextPeer()).receives(hello.length);
    client.reset();
    expect(await handler.closedRecord()).toMatchObject({ reason: "client_reset", context: "first" });
  });

  it("five hundred connections that wait are answered in one turn, each with its own server", async () => {
    const { engine, handler } = rig();
    const server = await rig().server((peer) => peer.socket.on("data", (chunk: Buffer) => peer.write(chunk)));
    handler.onDecide = () => waitWith();
    const listener = await rig().listen();
    const clients = await Promise.all(Array.from({ length: 500 }, () => rig().client(listener)));
    for (const client of clients) client.write(hello);
    await waitFor("all to wait", () => handler.arrivals.length === clients.length);
    for (const [index, { id }] of handler.arrivals.entries())
      engine.answer(id, connectTo(server.address, { prefix: Buffer.from(`${index}`.padStart(4)) }));
    for (const client of clients) await client.receives(4 + hello.length);
    const prefixes = clients.map(({ received }) => Number(received.subarray(0, 4).toString()));
    expect(new Set(prefixes).size).toBe(clients.length);
  });

  it("an answer may come from inside a call of the handler", async () => {
    const { engine, handler } = rig();
    const server = await rig().server();
    const { id } = await waiting(rig());
    handler.onDecide = () => {
      engine.answer(id, connectTo(server.address));
      return rejectWith();
    };
    const second = await rig().client(engine.boundAddresses("listeners/edge")[0]!);
    second.write(hello);
    await (await server.nextPeer()).receives(hello.length);
  });

  it("visit shows the connections whose last verdict was to connect, and no other", async () => {
    const { engine, handler } = rig();
    const silent = rig().keep(await SilentListener.listen());
    await waiting(rig());
    const [listener] = engine.boundAddresses("listeners/edge");
    const one = await rig().server();
    handler.onDecide = () => connectTo(one.address, { context: "spliced" });
    const { client } = await rig().spliceThrough(listener!, one);
    handler.onDecide = () => connectTo(silent.address, { context: "dialling" });
    (await rig().client(listener!)).write(hello);
    handler.onDecide = ({ id }) =>
      id === handler.arrivals[2]?.id ? connectTo(silent.address, { context: "dialling" }) : rejectWith();
    await waitFor("the third verdict", () => handler.arrivals.length === 3);
    (await rig().client(listener!)).write(hello);
    await waitFor("the fourth verdict", () => handler.arrivals.length === 4);
    await rig().client(listener!);
    await waitFor("five connections", () => engine.stats().accepted === 5);
    const [, spliced, dialling] = handler.arrivals.map(({ id }) => id);
    const seen = (): unknown[] => {
      const contexts: unknown[] = [];
      engine.visit((id, context) => contexts.push([id, context]));
      return contexts.sort((left, right) => (left as [number])[0] - (right as [number])[0]);
    };
    const wanted = [
      [spliced, "spliced"],
      [dialling, "dialling"],
    ];
    expect(seen()).toEqual(wanted.sort(([left], [right]) => Number(left) - Number(right)));
    engine.answer(handler.arrivals[0]!.id, connectTo(silent.address, { context: "answered" }));
    expect(seen()).toContainEqual([handler.arrivals[0]!.id, "answered"]);
    client.reset();
    await waitFor("an end", () => handler.records.some(({ id }) => id === spliced));
    expect(seen()).not.toContainEqual([spliced, "spliced"]);
    engine.visit((id) => engine.abort(id, "server_down"));
    await waitFor(
      "all to be ended",
      () => handler.records.filter(({ reason }) => reason === "server_down").length === 2,
    );
    expect(seen()).toEqual([]);
  });
}

async function waiting(
  rig: EngineRig,
  settings: Parameters<EngineRig["listen"]>[0] = {},
  first: Buffer = hello,
): Promise<Waiting> {
  const before = rig.handler.arrivals.length;
  rig.handler.onDecide = () => waitWith("the wait");
  const client = await rig.client(await rig.listen(settings));
  client.write(first);
  const { id } = await waitFor("the verdict", () => rig.handler.arrivals[before]);
  return { id, client };
}
