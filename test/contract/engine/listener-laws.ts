import { expect, it } from "vitest";
import { joinSocketAddress, type SocketAddress, splitSocketAddress } from "../../../model/address.ts";
import { clientHelloBytes } from "../../support/client-hello-bytes.ts";
import { type EngineRig, listenerSettings } from "../../support/engine-rig.ts";
import { connectPeer } from "../../support/peer.ts";
import { PeerServer } from "../../support/peer-server.ts";
import { connectTo } from "../../support/recording-handler.ts";
import { waitFor } from "../../support/wait-for.ts";

const hello = clientHelloBytes();
const anyPort = joinSocketAddress("127.0.0.1", 0);
const otherHost = joinSocketAddress("127.0.0.2", 0);

export function listenerLaws(rig: () => EngineRig): void {
  it("a listener binds all of its addresses, and tells them in their order", async () => {
    await rig().listen({ addresses: [anyPort, otherHost, joinSocketAddress("::1", 0)] });
    const bound = rig().engine.boundAddresses("listeners/edge");
    expect(bound.map((address) => splitSocketAddress(address).host)).toEqual(["127.0.0.1", "127.0.0.2", "::1"]);
    for (const address of bound) await rig().client(address);
    await waitFor("three connections", () => rig().engine.stats().connections === 3);
  });

  it("an address that stays is bound throughout, with its connections; one that goes refuses", async () => {
    const { engine } = rig();
    const server = await rig().server();
    rig().handler.onDecide = () => connectTo(server.address);
    const kept = await rig().listen({ addresses: [anyPort, otherHost] });
    const gone = engine.boundAddresses("listeners/edge")[1]!;
    const onKept = await rig().spliceThrough(kept, server);
    const onGone = await rig().spliceThrough(gone, server);
    expect(await rig().listen({ addresses: [anyPort] })).toBe(kept);
    await expectRefused(gone);
    await rig().client(kept);
    for (const pair of [onKept, onGone]) {
      pair.client.write("still here");
      expect((await pair.server.receives(hello.length + 10)).toString("latin1")).toMatch(/still here$/);
    }
  });

  it("while other addresses and listeners come and go, connections to one that stays never fail", async () => {
    const { engine } = rig();
    const server = await rig().server((peer) => peer.socket.on("data", (chunk: Buffer) => peer.write(chunk)));
    rig().handler.onDecide = () => connectTo(server.address);
    const kept = await rig().listen();
    const { client: old } = await rig().spliceThrough(kept, server);
    let echoed = (await old.receives(hello.length)).length;
    for (let round = 0; round < 30; round += 1) {
      const changes = [
        engine.setListener(listenerSettings({ addresses: round % 2 === 0 ? [anyPort, otherHost] : [anyPort] })),
        engine.setListener(listenerSettings({ name: `listeners/l${round % 3}`, addresses: [anyPort] })),
        engine.removeListener(`listeners/l${(round + 1) % 3}`),
      ];
      const fresh = await rig().client(kept);
      fresh.write(hello);
      old.write("ping");
      echoed += 4;
      await Promise.all(changes);
      await old.receives(echoed);
      await fresh.receives(hello.length);
      fresh.reset();
    }
    expect(engine.boundAddresses("listeners/edge")).toContain(kept);
  });

  it("changes of one listener that are asked for at once are carried out in order", async () => {
    const { engine } = rig();
    const kept = await rig().listen();
    const changes = Array.from({ length: 21 }, (_change, index) =>
      engine.setListener(listenerSettings({ addresses: index % 2 === 0 ? [anyPort, otherHost] : [anyPort] })),
    );
    for (const failures of await Promise.all(changes)) expect(failures).toEqual([]);
    const bound = engine.boundAddresses("listeners/edge");
    expect(bound.map((address) => splitSocketAddress(address).host)).toEqual(["127.0.0.1", "127.0.0.2"]);
    expect(bound[0]).toBe(kept);
    const removed = engine.removeListener("listeners/edge");
    expect(await engine.setListener(listenerSettings({ addresses: [kept] }))).toEqual([]);
    await removed;
    expect(engine.boundAddresses("listeners/edge")).toEqual([kept]);
  });

  it("an address that can't be bound is answered with its reason, and the others stand", async () => {
    const { engine } = rig();
    const taken = (await rig().server()).address;
    const foreign = joinSocketAddress("192.0.2.1", 8443);
    const failures = await engine.setListener(listenerSettings({ addresses: [taken, anyPort, foreign] }));
    expect([...failures].sort((left, right) => left.reason.localeCompare(right.reason))).toMatchObject([
      { address: taken, reason: "address_in_use" },
      { address: foreign, reason: "address_not_available" },
    ]);
    for (const { detail } of failures) expect(detail).not.toBe("");
    const bound = engine.boundAddresses("listeners/edge");
    expect(bound).toHaveLength(1);
    await rig().client(bound[0]!);
  });

  it("an address that could not be bound is tried again by the next setListener", async () => {
    const { engine } = rig();
    const inTheWay = await PeerServer.listen();
    const settings = listenerSettings({ addresses: [inTheWay.address] });
    expect(await engine.setListener(settings)).toMatchObject([{ reason: "address_in_use" }]);
    await inTheWay.close();
    expect(await engine.setListener(settings)).toEqual([]);
    expect(engine.boundAddresses("listeners/edge")).toEqual([inTheWay.address]);
  });

  it("an address of another listener can't be bound, until that one lets go", async () => {
    const { engine } = rig();
    const first = await rig().listen({ name: "listeners/first" });
    const second = listenerSettings({ name: "listeners/second", addresses: [first] });
    expect(await engine.setListener(second)).toMatchObject([{ address: first, reason: "address_in_use" }]);
    await engine.removeListener("listeners/first");
    expect(await engine.setListener(second)).toEqual([]);
  });

  it("a listener moves from the wildcard to one address of the same port", async () => {
    const { engine } = rig();
    const wildcard = await rig().listen({ addresses: [joinSocketAddress("0.0.0.0", 0)] });
    const narrow = joinSocketAddress("127.0.0.1", splitSocketAddress(wildcard).port);
    expect(await engine.setListener(listenerSettings({ addresses: [narrow] }))).toEqual([]);
    expect(engine.boundAddresses("listeners/edge")).toEqual([narrow]);
  });

  it("the IPv6 wildcard leaves the IPv4 port to others", async () => {
    const { engine } = rig();
    const wildcard = await rig().listen({ addresses: [joinSocketAddress("::", 0)] });
    const { port } = splitSocketAddress(wildcard);
    const settings = { name: "listeners/four", addresses: [joinSocketAddress("0.0.0.0", port)] };
    expect(await engine.setListener(listenerSettings(settings))).toEqual([]);
    const overSix = await rig().client(joinSocketAddress("::1", port));
    const overFour = await rig().client(joinSocketAddress("127.0.0.1", port));
    overSix.write(clientHelloBytes({ serverName: "six.test" }));
    overFour.write(clientHelloBytes({ serverName: "four.test" }));
    await waitFor("both arrivals", () => rig().handler.arrivals.length === 2);
    const seen = rig().handler.arrivals.map(({ serverName, listener }) => `${serverName} ${listener}`);
    expect(seen.sort()).toEqual(["four.test listeners/four", "six.test listeners/edge"]);
  });

  it("new limits hold for connections that are accepted from then on", async () => {
    const { handler, engine } = rig();
    const listener = await rig().listen();
    const early = await rig().client(listener);
    await waitFor("the first connection", () => engine.stats().connections === 1);
    await rig().listen({ helloDeadlineMs: 100 });
    const late = await rig().client(listener);
    await late.endsInOrder();
    expect(await handler.closedRecord()).toMatchObject({ reason: "hello_timeout" });
    expect(engine.stats().connections).toBe(1);
    early.write(hello);
    expect(await early.endsInOrder()).toHaveLength(7);
  });

  it("above connectionsMax new connections are closed, and one that ends makes room", async () => {
    const { handler, engine } = rig();
    const listener = await rig().listen({ connectionsMax: 2 });
    const other = await rig().listen({ name: "listeners/other" });
    const first = await rig().client(listener);
    await rig().client(listener);
    await waitFor("two connections", () => engine.stats().connections === 2);
    const excess = await rig().client(listener);
    await excess.isOver();
    expect(await handler.closedRecord()).toMatchObject({ reason: "connections_max", context: undefined, helloMs: -1 });
    await rig().client(other);
    await waitFor("a connection to the other listener", () => engine.stats().connections === 3);
    first.reset();
    await handler.closedRecord(2);
    const next = await rig().client(listener);
    next.write(hello);
    expect(await next.endsInOrder()).toHaveLength(7);
    expect(handler.arrivals).toHaveLength(1);
    expect(engine.stats().accepted).toBe(5);
  });

  it("a listener that is removed refuses, and its connections go on", async () => {
    const { engine } = rig();
    const server = await rig().server();
    rig().handler.onDecide = () => connectTo(server.address);
    const listener = await rig().listen();
    const { client, server: peer } = await rig().spliceThrough(listener, server);
    await engine.removeListener("listeners/edge");
    expect(engine.boundAddresses("listeners/edge")).toEqual([]);
    await expectRefused(listener);
    client.write("still here");
    await peer.receives(hello.length + 10);
    peer.write("and here");
    await client.receives(8);
  });

  it("a listener that there is not is removed without a word, and has no addresses", async () => {
    await rig().engine.removeListener("listeners/nobody");
    expect(rig().engine.boundAddresses("listeners/nobody")).toEqual([]);
  });
}

async function expectRefused(address: SocketAddress): Promise<void> {
  await expect(connectPeer(address)).rejects.toMatchObject({ code: "ECONNREFUSED" });
}
