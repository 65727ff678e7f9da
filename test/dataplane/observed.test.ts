import pino from "pino";
import { Registry } from "prom-client";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { logConnection } from "../../dataplane/telemetry/access-log.ts";
import { registerNodeMetrics } from "../../dataplane/telemetry/node-metrics.ts";
import { joinSocketAddress } from "../../model/address.ts";
import { helloWith, latin1, serverName } from "../corpus/hello-builder.ts";
import { connectPeer, type Peer } from "../support/peer.ts";
import { PeerServer } from "../support/peer-server.ts";
import { SilentListener } from "../support/silent-listener.ts";
import { freePort } from "../support/free-port.ts";
import { farm, listener, NodeRig, route, server } from "./node-rig.ts";
import { whoAnswers } from "./tls-client.ts";

let rig: NodeRig;
let port: number;

/** A farm that answers, one where nobody listens, and a farm for plain text on a second listener. */
beforeEach(async () => {
  rig = await NodeRig.start();
  port = await freePort();
  const web = await rig.server("web-a");
  const plain = rig.keep(await PeerServer.listen((peer) => peer.write("plain ready\n")));
  const nobody = joinSocketAddress("127.0.0.1", await freePort());
  const silent = rig.keep(await SilentListener.listen());
  await rig.apply([
    farm("web"),
    server("web", "a", web.address),
    farm("down", { passiveHealth: { ejectedMax: 100 } }),
    server("down", "a", nobody),
    server("down", "b", nobody),
    farm("deaf", { connectTimeout: { nanos: 20_000_000 } }),
    server("deaf", "a", silent.address),
    farm("plain"),
    server("plain", "a", plain.address),
    farm("empty"),
    listener("edge", [port], { helloDeadline: { seconds: 60 } }),
    listener("mixed", [await freePort()], { nonTlsFarm: "farms/plain" }),
    route("edge", "web", { serverNames: ["web.test"] }, { farm: "farms/web" }),
    route("edge", "down", { serverNames: ["down.test"] }, { farm: "farms/down" }),
    route("edge", "deaf", { serverNames: ["deaf.test"] }, { farm: "farms/deaf" }),
    route("edge", "empty", { serverNames: ["empty.test"] }, { farm: "farms/empty" }),
    route("edge", "deny", { serverNames: ["deny.test"] }, { reject: {} }),
  ]);
});

afterEach(async () => {
  await rig.close();
});

async function peer(listenerName: string): Promise<Peer> {
  const [address] = rig.node.engine.boundAddresses(listenerName);
  if (address === undefined) throw new Error(`${listenerName} is not bound`);
  return connectPeer(address);
}

/** What a connection's line in the access log says. */
async function line(nth: number): Promise<Record<string, unknown>> {
  const { closed, routed } = await rig.endedAs(nth);
  let text = "";
  logConnection(pino({}, { write: (written: string) => (text += written) }), closed, routed, "n1");
  expect(text).toMatch(/^[^\n\r]+\n$/);
  return JSON.parse(text) as Record<string, unknown>;
}

describe("a client's end", () => {
  it.each([
    ["web.test", "web-a", { reason: "done", server: "farms/web/servers/a", connectAttempts: 1, revision: 1 }],
    ["x.test", "ERR_SSL_TLSV1_UNRECOGNIZED_NAME", { reason: "no_route", route: null, server: null, connectMs: -1 }],
    [undefined, "ERR_SSL_TLSV1_UNRECOGNIZED_NAME", { reason: "no_route", serverName: null }],
    ["deny.test", "ERR_SSL_TLSV1_ALERT_ACCESS_DENIED", { reason: "route_reject", route: "listeners/edge/routes/deny" }],
    ["empty.test", "ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR", { reason: "no_server", connectAttempts: 0 }],
    ["down.test", "ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR", { reason: "connect_failed", connectAttempts: 2 }],
    ["deaf.test", "ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR", { reason: "connect_timeout", connectAttempts: 1 }],
  ])("for %s is %s, and its line says why", async (name, answer, expected) => {
    expect(await whoAnswers(port, name)).toBe(answer);
    expect(await line(1)).toMatchObject({ listener: "listeners/edge", serverName: name ?? null, ...expected });
  });

  it("has a line with bytes, durations and addresses", async () => {
    await whoAnswers(port, "WEB.test");
    const said = await line(1);
    expect(said).toMatchObject({
      source: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string,
      serverName: "web.test",
      farm: "farms/web",
      acceptedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
    });
    for (const field of ["helloMs", "connectMs", "totalMs"]) expect(said[field]).toBeGreaterThanOrEqual(0);
    for (const field of ["bytesFromClient", "bytesFromServer"]) expect(said[field]).toBeGreaterThan(200);
  });

  it("is a decode error for a malformed hello, even where plain text is welcome", async () => {
    const client = await peer("listeners/mixed");
    client.write(helloWith(serverName("a..test")));
    expect([...(await client.endsInOrder())]).toEqual([21, 3, 3, 0, 2, 2, 50]);
    client.end();
    expect(await line(1)).toMatchObject({ reason: "name_label_length", farm: null });
  });

  it("is the farm for plain text where there is one, and a silent close where there is none", async () => {
    const welcome = await peer("listeners/mixed");
    welcome.write(latin1("EHLO me\r\n"));
    expect((await welcome.receives(12)).toString()).toBe("plain ready\n");
    welcome.reset();
    const refused = await peer("listeners/edge");
    refused.write(latin1("EHLO me\r\n"));
    expect(await refused.endsInOrder()).toHaveLength(0);
    refused.end();
    await rig.endedAs(2);
    const reasons = rig.ended.map(({ closed: { listener: on, reason } }) => `${on} ${reason}`);
    expect(reasons).toContain("listeners/edge not_tls");
  });

  it("is one line for a name that is made to look like two", async () => {
    const name = '\\",\\n{"reason":"done"}';
    const client = await peer("listeners/edge");
    client.write(helloWith(serverName(name)));
    await client.endsInOrder();
    client.end();
    expect(await line(1)).toMatchObject({ serverName: name, reason: "no_route" });
  });
});

/** The samples of a text in Prometheus' format, by name and labels; throws at a line that is none. */
function samples(text: string): Map<string, number> {
  const found = new Map<string, number>();
  const typed = new Set<string>();
  for (const row of text.trimEnd().split("\n")) {
    const comment = /^# (HELP|TYPE) ([a-z_]+) (.+)$/.exec(row);
    if (comment?.[1] === "TYPE") typed.add(comment[2] as string);
    const sample = /^([a-z_]+)(\{(?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)+\})? (-?[\d.e+]+)$/.exec(row);
    if (comment === null && row !== "" && (sample === null || !typed.has(sample[1] as string)))
      throw new Error(`not in Prometheus' format: ${row}`);
    if (sample !== null) found.set(`${sample[1]}${sample[2] ?? ""}`, Number(sample[3]));
  }
  return found;
}

describe("the metrics", () => {
  it("are in Prometheus' format, with the reasons of the access log, and the same at each scrape", async () => {
    for (const name of ["web.test", "web.test", "x.test", "deny.test", "down.test"]) await whoAnswers(port, name);
    await rig.endedAs(5);
    const registry = new Registry();
    registerNodeMetrics(registry, rig.node, () => performance.now());
    await registry.metrics();
    const read = samples(await registry.metrics());
    const closed = (reason: string): number | undefined =>
      read.get(`switchyard_node_connections_closed_total{listener="listeners/edge",reason="${reason}"}`);
    expect(closed("done")).toBe(2);
    expect(closed("no_route")).toBe(1);
    expect(closed("route_reject")).toBe(1);
    expect(closed("connect_failed")).toBe(1);
    const failures = "switchyard_node_server_connect_failures_total";
    expect(read.get(`${failures}{server="farms/down/servers/a",reason="refused"}`)).toBe(1);
    expect(read.get('switchyard_node_server_connections_total{server="farms/web/servers/a"}')).toBe(2);
    expect(read.get('switchyard_node_bytes_total{listener="listeners/edge",from="client"}')).toBeGreaterThan(1000);
    expect(read.get("switchyard_node_accepted_total")).toBe(5);
    expect(read.get("switchyard_node_connections")).toBe(0);
    expect(read.get("switchyard_node_revision")).toBe(1);
    expect(read.get("switchyard_node_ready")).toBe(1);
    expect(read.get('switchyard_node_servers_failing{state="ejected"}')).toBe(2);
    expect(read.get('switchyard_node_servers_failing{state="down"}')).toBe(0);
    expect(read.get('switchyard_node_ticket_names{farm="farms/web"}')).toBe(0);
    expect(read.get("switchyard_node_table_names")).toBe(5);
  });

  it("and reports name no server that has gone", async () => {
    await whoAnswers(port, "down.test");
    const { serverHealth } = await rig.reported("what fails", (node) => node.serverHealth.length === 2);
    const names = ["farms/down/servers/a", "farms/down/servers/b"];
    expect(serverHealth.map(({ server: name, reason }) => `${name} ${reason}`)).toEqual(
      names.map((each) => `${each} connect_refused`),
    );
    await rig.apply([listener("edge", [port]), farm("web")], true);
    await rig.reported("nothing that fails", (node) => node.serverHealth.length === 0);
    expect([...rig.node.traffic.servers.keys()].filter((name) => names.includes(name))).toEqual([]);
  });
});
