import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createNativeEngine } from "../../dataplane/engine/native-engine.ts";
import { createPortableEngine } from "../../dataplane/engine/portable-engine.ts";
import { localProxyHeader, proxyHeaderBytes } from "../../dataplane/hello/proxy-header-bytes.ts";
import { joinSocketAddress, type SocketAddress, splitSocketAddress } from "../../model/address.ts";
import { waitFor } from "../support/wait-for.ts";
import { haproxyBalancer } from "./balancers.ts";
import { farms, fronts, NodeBetween } from "./node-between.ts";
import { requestOver } from "./request-over.ts";

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

/** What a client sees of a connection that is closed without an alert. */
const noWord = /^(ECONNRESET|closed)$/;

const engines = [
  { kind: "portable", createEngine: createPortableEngine },
  { kind: "native", createEngine: createNativeEngine },
] as const;

describe.each(engines)("a node with the $kind engine", ({ createEngine }) => {
  let node: NodeBetween;
  beforeAll(async () => {
    node = await NodeBetween.start(createEngine);
  });
  afterAll(() => node.close());

  describe.each(fronts)("with %s in front", (front) => {
    test.each(farms)("tells the server who the client is and where it went: $id", async ({ id }) => {
      const to = splitSocketAddress(node.front(front));
      const request = { from: "127.0.0.77", serverName: `${id}.test` };
      const said = (await requestOver(node.front(front), request)).split(" ");
      const [source, sourcePort, destination, destinationPort, authority, uniqueId] = said;
      expect([source, destination, destinationPort]).toStrictEqual(["127.0.0.77", to.host, String(to.port)]);
      if (id === "haproxy-2") {
        expect(authority).toBe("haproxy-2.test");
        expect(uniqueId).toMatch(/^n1-\S+$/);
      }
      const client = joinSocketAddress("127.0.0.77", Number(sourcePort));
      const { routed } = await node.ended(`the connection of ${client}`, (each) => each.closed.source === client);
      expect(routed?.serverName).toBe(`${id}.test`);
    });
  });

  test("gives no two connections the same unique id", async () => {
    const ids = new Set<string>();
    for (let visit = 0; visit < 5; visit += 1) {
      const said = await requestOver(node.listener("plain"), { serverName: "haproxy-2.test" });
      ids.add(said.split(" ")[5] as string);
    }
    expect(ids.size).toBe(5);
  });

  describe.each(["stranger", "plain"] as const)("on the listener that is %s", (id) => {
    test.each(forgedHeaders)("refuses a header from whom it does not believe: $title", async ({ header }) => {
      const from = node.newAddress();
      expect(await requestOver(node.listener(id), { from, header, serverName: "nginx-2.test" })).toMatch(noWord);
      const { closed } = await node.ended("its end", (each) => each.closed.source.startsWith(`${from}:`));
      expect([closed.listener, closed.reason]).toStrictEqual([`listeners/${id}`, "proxy_untrusted"]);
    });
  });

  test.each([
    { title: "no header", header: new Uint8Array(0), reason: "proxy_missing" },
    { title: "a bad header", header: Buffer.from("PROXY TCP4 1.2.3.4\r\n"), reason: "proxy_malformed" },
    { title: "a header of 64 KiB", header: localProxyHeader(2).with(14, 0xff), reason: "proxy_too_big" },
  ])("refuses $title from whom it believes", async ({ header, reason }) => {
    const from = node.newAddress();
    expect(await requestOver(node.listener("believes"), { from, header, serverName: "nginx-2.test" })).toMatch(noWord);
    const { closed } = await node.ended("its end", (each) => each.closed.source.startsWith(`${from}:`));
    expect(closed.reason).toBe(reason);
  });

  test.each(forgedHeaders)(
    "takes a client's own header behind its balancer's for no TLS: $title",
    async ({ header }) => {
      const refused = (): number => node.rig.ended.filter(({ closed }) => closed.reason === "not_tls").length;
      const before = refused();
      const request = { header, serverName: "nginx-2.test" };
      expect(await requestOver(node.front("HAProxy, version 2"), request)).toMatch(noWord);
      await waitFor("the end of a connection that was no TLS", () => refused() === before + 1);
    },
  );

  test.each([1, 2] as const)("goes by the peer's address where a header says nothing, version %i", async (version) => {
    const request = { from: "127.0.0.60", header: localProxyHeader(version), serverName: "haproxy-2.test" };
    const said = await requestOver(node.listener("believes"), request);
    expect(said).toMatch(/^127\.0\.0\.60 \d+ 127\.0\.0\.1 \d+ haproxy-2\.test/);
  });

  test("lets HAProxy's health checks through, in HAProxy's own name", async () => {
    const from = node.newAddress();
    const tls = "check-ssl verify none check-sni haproxy-2.test";
    const send = `send-proxy-v2 check inter 100 check-send-proxy ${tls} source ${from}`;
    const checker = await haproxyBalancer([{ title: "checks", send }], node.listener("believes"));
    const { closed, routed } = await node.ended("a check that reached a server", (each) => {
      return each.closed.source.startsWith(`${from}:`) && each.closed.bytesFromServer > 0;
    });
    await checker.stop();
    expect(routed?.serverName).toBe("haproxy-2.test");
    expect(closed.listener).toBe("listeners/believes");
  });

  const whole = proxyHeaderBytes({ version: 2, tlvs: [] }, forged);

  test.each([
    { title: "nothing", sent: new Uint8Array(0) },
    { title: "half a header", sent: whole.subarray(0, 14) },
    { title: "half a line", sent: Buffer.from("PROXY TCP4 203.0.113.9") },
    { title: "a header, and no hello", sent: whole },
  ])("gives header and hello one deadline: $title", async ({ sent }) => {
    const localAddress = node.newAddress();
    const socket = connect({ ...splitSocketAddress(node.listener("hurries")), localAddress });
    socket.on("error", () => undefined);
    await once(socket, "connect");
    const peer = joinSocketAddress(localAddress, socket.localPort as number);
    if (sent.length > 0) socket.write(sent);
    const { closed } = await node.ended("its end", (each) => each.closed.source === peer);
    expect(closed.reason).toBe("hello_timeout");
    socket.destroy();
  });
});
