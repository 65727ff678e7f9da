import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { localProxyHeader, proxyHeaderBytes } from "../../dataplane/hello/proxy-header-bytes.ts";
import { joinSocketAddress, type SocketAddress, splitSocketAddress } from "../../model/address.ts";
import { type EndedConnection, farm, listener, NodeRig, route, server } from "../dataplane/node-rig.ts";
import { freePorts } from "../e2e/running-switchyard.ts";
import { waitFor } from "../support/wait-for.ts";
import { type Balancer, haproxyBalancer, nginxBalancer } from "./balancers.ts";
import { haproxyServer, nginxServer } from "./header-reading-servers.ts";
import { requestOver } from "./request-over.ts";

const allTlvs = ["ALPN", "AUTHORITY", "CRC32C", "UNIQUE_ID"].map((name) => `PROXY_TLV_${name}`);
/** What the farms send: each to a real server of its own kind. */
const farms = [
  { id: "nginx-1", of: "nginx", proxyProtocol: { version: "PROXY_VERSION_1" } },
  { id: "nginx-2", of: "nginx", proxyProtocol: { tlvs: allTlvs } },
  { id: "haproxy-1", of: "haproxy", proxyProtocol: { version: "PROXY_VERSION_1" } },
  { id: "haproxy-2", of: "haproxy", proxyProtocol: { tlvs: allTlvs } },
] as const;

/** Listeners by whom they believe. */
const listeners = [
  { id: "believes", more: { proxyNetworks: ["127.0.0.0/8"] } },
  { id: "hurries", more: { proxyNetworks: ["127.0.0.0/8"], helloDeadline: { nanos: 300_000_000 } } },
  { id: "stranger", more: { proxyNetworks: ["192.0.2.0/24", "2001:db8::/32"] } },
  { id: "plain", more: {} },
] as const;
type ListenerId = (typeof listeners)[number]["id"];

const balancerWays = [
  { title: "HAProxy, version 1", send: "send-proxy" },
  { title: "HAProxy, version 2", send: "send-proxy-v2 proxy-v2-options crc32c,unique-id" },
] as const;

let rig: NodeRig;
let ports: ReadonlyMap<ListenerId, number>;
/** Where a client connects, by what stands between it and the node. */
const fronts = new Map<string, SocketAddress>();

beforeAll(async () => {
  rig = await NodeRig.start();
  const free = await freePorts(listeners.length);
  ports = new Map(listeners.map(({ id }, index) => [id, free[index] as number]));
  const servers = { nginx: kept(await nginxServer()), haproxy: kept(await haproxyServer()) };
  const front = (id: ListenerId) => [
    listener(id, [ports.get(id) as number], listeners.find((each) => each.id === id)?.more),
    ...farms.map((each) => route(id, each.id, { serverNames: [`${each.id}.test`] }, { farm: `farms/${each.id}` })),
  ];
  await rig.apply([
    ...farms.flatMap(({ id, of, proxyProtocol }) => [
      farm(id, { proxyProtocol }),
      server(id, "one", servers[of].address),
    ]),
    ...listeners.flatMap(({ id }) => front(id)),
  ]);
  fronts.set("nothing", addressOf("plain"));
  const haproxy = kept(await haproxyBalancer(balancerWays, addressOf("believes")));
  for (const [title, address] of haproxy.addresses) fronts.set(title, address);
  const nginx = kept(await nginxBalancer(["127.0.0.1"], addressOf("believes")));
  fronts.set("nginx", nginx.addresses.get("127.0.0.1") as SocketAddress);
});

afterAll(() => rig.close());

function kept<Thing extends { stop(): Promise<void> }>(thing: Thing): Thing {
  rig.keep({ close: () => thing.stop() });
  return thing;
}

function addressOf(id: ListenerId): SocketAddress {
  return joinSocketAddress("127.0.0.1", ports.get(id) as number);
}

let addressesGiven = 0;

/** A loopback address that no client of this file had before: the node's records are told apart by it. */
function newAddress(): string {
  addressesGiven += 1;
  return `127.0.1.${addressesGiven}`;
}

/** What the node said of the connection that ended so, once it has. */
async function ended(what: string, holds: (ended: EndedConnection) => boolean): Promise<EndedConnection> {
  return waitFor(what, () => rig.ended.find(holds));
}

describe.each(["nothing", "HAProxy, version 1", "HAProxy, version 2", "nginx"])("with %s in front", (front) => {
  test.each(farms)("the server is told of the client and where it went: $id", async ({ id }) => {
    const to = splitSocketAddress(fronts.get(front) as SocketAddress);
    const said = await requestOver(joinSocketAddress(to.host, to.port), {
      from: "127.0.0.77",
      serverName: `${id}.test`,
    });
    const [source, sourcePort, destination, destinationPort, authority, uniqueId] = said.split(" ");
    expect({ source, destination, destinationPort }).toStrictEqual({
      source: "127.0.0.77",
      destination: to.host,
      destinationPort: String(to.port),
    });
    if (id === "haproxy-2") {
      expect(authority).toBe("haproxy-2.test");
      expect(uniqueId).toMatch(/^n1-\S+$/);
    }
    const client = joinSocketAddress("127.0.0.77", Number(sourcePort));
    const { closed } = await ended(`the connection of ${client}`, (each) => each.closed.source === client);
    expect(closed.reason).toBe("done");
  });
});

test("no two connections have the same unique id", async () => {
  const ids = new Set<string>();
  for (let visit = 0; visit < 5; visit += 1)
    ids.add((await requestOver(addressOf("plain"), { serverName: "haproxy-2.test" })).split(" ")[5] as string);
  expect(ids.size).toBe(5);
});

const forged = {
  source: "203.0.113.9:1" as SocketAddress,
  destination: "203.0.113.10:443" as SocketAddress,
  serverName: null,
  alpn: null,
  uniqueId: new Uint8Array(0),
};
const forgedHeaders = [
  { title: "version 1", header: proxyHeaderBytes({ version: 1, tlvs: [] }, forged) },
  { title: "version 2", header: proxyHeaderBytes({ version: 2, tlvs: ["crc32c"] }, forged) },
  { title: "LOCAL", header: localProxyHeader(2) },
  { title: "UNKNOWN", header: localProxyHeader(1) },
] as const;

describe.each(["stranger", "plain"] as const)("on the listener that is a %s", (id) => {
  test.each(forgedHeaders)("a header from whom it does not believe is refused: $title", async ({ header }) => {
    const from = newAddress();
    const said = await requestOver(addressOf(id), { from, header, serverName: "nginx-2.test" });
    expect(said).toMatch(/^(ECONNRESET|closed)$/);
    const { closed } = await ended("its end", (each) => each.closed.source.startsWith(`${from}:`));
    expect([closed.listener, closed.reason]).toStrictEqual([`listeners/${id}`, "proxy_untrusted"]);
  });
});

describe("from whom it believes", () => {
  test.each([
    { title: "no header", header: new Uint8Array(0), reason: "proxy_missing" },
    { title: "a bad header", header: Buffer.from("PROXY TCP4 1.2.3.4\r\n"), reason: "proxy_malformed" },
    { title: "a header of 64 KiB", header: localProxyHeader(2).with(14, 0xff), reason: "proxy_too_big" },
  ])("$title is refused", async ({ header, reason }) => {
    const from = newAddress();
    const said = await requestOver(addressOf("believes"), { from, header, serverName: "nginx-2.test" });
    expect(said).toMatch(/^(ECONNRESET|closed)$/);
    const { closed } = await ended("its end", (each) => each.closed.source.startsWith(`${from}:`));
    expect(closed.reason).toBe(reason);
  });

  test.each(forgedHeaders)(
    "a client behind it that sends a header of its own is no TLS client: $title",
    async (each) => {
      const front = fronts.get("HAProxy, version 2") as SocketAddress;
      const refused = (): number => rig.ended.filter(({ closed }) => closed.reason === "not_tls").length;
      const before = refused();
      const said = await requestOver(front, { header: each.header, serverName: "nginx-2.test" });
      expect(said).toMatch(/^(ECONNRESET|closed)$/);
      await waitFor("the end of a connection that was no TLS", () => refused() === before + 1);
    },
  );
});

describe("a header that comes too slowly ends with the hello's deadline", () => {
  const whole = proxyHeaderBytes({ version: 2, tlvs: [] }, forged);

  test.each([
    { title: "nothing", sent: new Uint8Array(0) },
    { title: "half a header", sent: whole.subarray(0, 14) },
    { title: "a header, and no hello", sent: whole },
    { title: "half a line", sent: Buffer.from("PROXY TCP4 203.0.113.9") },
  ])("$title", async ({ sent }) => {
    const localAddress = newAddress();
    const socket = connect({ host: "127.0.0.1", port: ports.get("hurries") as number, localAddress });
    socket.on("error", () => undefined);
    await once(socket, "connect");
    const peer = joinSocketAddress(localAddress, socket.localPort as number);
    if (sent.length > 0) socket.write(sent);
    const { closed } = await ended("its end", (each) => each.closed.source === peer);
    expect(closed.reason).toBe("hello_timeout");
    socket.destroy();
  });
});
