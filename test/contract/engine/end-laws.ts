import { expect, it } from "vitest";
import { clientHelloBytes } from "../../support/client-hello-bytes.ts";
import { type EngineRig, listenerSettings } from "../../support/engine-rig.ts";
import { leftOver, openResources } from "../../support/open-resources.ts";
import { PeerServer } from "../../support/peer-server.ts";
import { connectPeer } from "../../support/peer.ts";
import { connectTo } from "../../support/recording-handler.ts";
import { SilentListener } from "../../support/silent-listener.ts";
import { waitFor } from "../../support/wait-for.ts";

const hello = clientHelloBytes();

/** Throws once in each call of the handler. */
const failingCalls: readonly (readonly [string, (rig: EngineRig) => Promise<void>])[] = [
  [
    "decide",
    async (rig) => {
      rig.handler.onDecide = () => fail();
      const client = await rig.client(await rig.listen());
      client.write(hello);
      await client.isOver();
    },
  ],
  [
    "redecide",
    async (rig) => {
      const gone = await PeerServer.listen();
      await gone.close();
      rig.handler.onDecide = () => connectTo(gone.address);
      rig.handler.onRedecide = () => fail();
      const client = await rig.client(await rig.listen());
      client.write(hello);
      await client.isOver();
    },
  ],
  [
    "serverBytes",
    async (rig) => {
      rig.handler.onServerBytes = () => fail();
      const { client, server } = await rig.splice({ tapServerBytesMax: 100 });
      server.write(Buffer.of(22, 3, 3));
      await client.isOver();
      await server.isOver();
    },
  ],
];

export function endLaws(rig: () => EngineRig): void {
  it("abort ends a connection that is spliced, abortively on both sides", async () => {
    const { engine, handler } = rig();
    const { client, server } = await rig().splice();
    engine.abort(handler.arrivals[0]!.id, "shutdown");
    await client.isReset();
    await server.isReset();
    expect(await handler.closedRecord()).toMatchObject({ reason: "shutdown" });
  });

  it("abort ends a connection whose server is being sought", async () => {
    const { engine, handler } = rig();
    const silent = rig().keep(await SilentListener.listen());
    handler.onDecide = () => connectTo(silent.address);
    const client = await rig().client(await rig().listen());
    client.write(hello);
    await waitFor("the verdict", () => handler.arrivals.length === 1);
    engine.abort(handler.arrivals[0]!.id, "no_server");
    await client.isReset();
    expect(await handler.closedRecord()).toMatchObject({ reason: "no_server", connectAttempts: 1 });
    expect(handler.redecisions).toEqual([]);
  });

  it("abort from inside a call of the handler ends the connection", async () => {
    const { engine, handler } = rig();
    const server = await rig().server();
    handler.onDecide = ({ id }) => {
      engine.abort(id, "route_reject");
      return connectTo(server.address);
    };
    const client = await rig().client(await rig().listen());
    client.write(hello);
    await client.isOver();
    expect(await handler.closedRecord()).toMatchObject({ reason: "route_reject" });
  });

  it("abort of a connection that has ended, or never was, does nothing", async () => {
    const { engine, handler } = rig();
    const { client, server } = await rig().splice();
    engine.abort(987_654_321, "shutdown");
    client.write("still here");
    await server.receives(hello.length + 10);
    client.reset();
    const { id, reason } = await handler.closedRecord();
    engine.abort(id, "shutdown");
    expect(reason).toBe("client_reset");
  });

  it.each(failingCalls)("a handler whose %s throws ends that connection and no other", async (_call, provoke) => {
    const { handler } = rig();
    await provoke(rig());
    expect(await handler.closedRecord()).toMatchObject({ reason: "internal" });
    const faults = handler.faults.splice(0);
    expect(faults).toHaveLength(1);
    const server = await rig().server();
    handler.onDecide = () => connectTo(server.address);
    await rig().spliceThrough(rig().engine.boundAddresses("listeners/edge")[0]!, server);
  });

  it("a handler whose closed throws is a fault, and the engine goes on", async () => {
    const { handler } = rig();
    handler.onClosed = () => fail();
    const listener = await rig().listen();
    for (const nth of [1, 2]) {
      const client = await rig().client(listener);
      client.write(hello);
      await client.endsInOrder();
      client.end();
      await handler.closedRecord(nth);
    }
    await waitFor("two faults", () => handler.faults.length === 2);
    handler.faults.length = 0;
    handler.onClosed = () => undefined;
  });

  it("close lets connections end by themselves within the grace, and accepts no more", async () => {
    const { engine, handler } = rig();
    const { client, server } = await rig().splice();
    const [listener] = engine.boundAddresses("listeners/edge");
    let closed = false;
    const closing = engine.close(60_000).then(() => {
      closed = true;
    });
    await waitFor("the listener to be gone", () => engine.boundAddresses("listeners/edge").length === 0);
    await expect(connectPeer(listener!)).rejects.toMatchObject({ code: "ECONNREFUSED" });
    client.write("last words");
    await server.receives(hello.length + 10);
    expect(closed).toBe(false);
    client.end();
    server.end();
    await closing;
    expect(handler.records).toMatchObject([{ reason: "done" }]);
  });

  it("when the grace is over, what is left ends with shutdown in every phase of its life", async () => {
    const { engine, handler } = rig();
    const silent = rig().keep(await SilentListener.listen());
    const { client, server } = await rig().splice();
    handler.onDecide = () => connectTo(silent.address);
    const [listener] = engine.boundAddresses("listeners/edge");
    const dialling = await rig().client(listener!);
    dialling.write(hello);
    await waitFor("the second verdict", () => handler.arrivals.length === 2);
    const pending = await rig().client(listener!);
    await waitFor("three connections", () => engine.stats().connections === 3);
    await engine.close(50);
    expect(handler.records.map(({ reason }) => reason)).toEqual(["shutdown", "shutdown", "shutdown"]);
    await client.isReset();
    await server.isReset();
    await dialling.isOver();
    await pending.isOver();
    expect(engine.stats()).toMatchObject({ connections: 0, hellosPending: 0 });
  });

  it("the first reason stands: a rejected client that close cuts was rejected", async () => {
    const { engine, handler } = rig();
    const client = await rig().client(await rig().listen());
    client.write(hello);
    await client.endsInOrder();
    await engine.close(0);
    expect(handler.records).toMatchObject([{ reason: "no_route" }]);
  });

  it("close gives back every descriptor and timer, and may be called again", async () => {
    const { engine } = rig();
    const before = openResources();
    await rig().splice();
    await engine.close(0);
    await engine.close(0);
    await Promise.all([engine.close(1000), engine.close(0)]);
    await rig().close();
    await waitFor("all to be given back", () => leftOver(before, openResources()) === "");
  });

  it("an engine that is closed binds nothing, and says so", async () => {
    const { engine } = rig();
    await engine.close(0);
    const settings = listenerSettings();
    expect(await engine.setListener(settings)).toMatchObject([{ address: settings.addresses[0], reason: "other" }]);
    expect(engine.boundAddresses(settings.name)).toEqual([]);
    engine.abort(1, "shutdown");
    await engine.removeListener(settings.name);
  });
}

function fail(): never {
  throw new Error("thrown by the handler, on purpose");
}
