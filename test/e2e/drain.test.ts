import { once } from "node:events";
import { connect, type TLSSocket } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TlsTestServer } from "../support/tls-test-server.ts";
import { freePorts, RunningSwitchyard, TestInstance } from "./running-switchyard.ts";

let instance: TestInstance;
let port: number;
let deadPort: number;
let one: TlsTestServer;
let other: TlsTestServer;

beforeAll(async () => {
  [port, deadPort] = (await freePorts(2)) as [number, number];
  one = await TlsTestServer.listen("one");
  other = await TlsTestServer.listen("other");
  instance = await TestInstance.start();
  await instance.apply(`
- farm: {name: farms/web, balance: BALANCE_FIRST, healthCheck: {tls: {}, interval: 0.1s, fall: 2}}
- server: {name: farms/web/servers/a, address: "${one.address}"}
- server: {name: farms/web/servers/b, address: "${other.address}"}
- server: {name: farms/web/servers/dead, address: "127.0.0.1:${deadPort}"}
- listener: {name: listeners/edge, addresses: ["127.0.0.1:${port}"], defaultAction: {farm: farms/web}}
`);
});
afterAll(async () => {
  await instance.stop();
  await one.close();
  await other.close();
});

/** A client that has heard the server's greeting. */
async function connected(): Promise<TLSSocket> {
  const socket = connect({ port, host: "127.0.0.1", servername: "web.test", rejectUnauthorized: false });
  await once(socket, "data");
  return socket;
}
const serverOf = (socket: TLSSocket): unknown => socket.getPeerCertificate().subject.CN;

/** The row of a server in the table of health, once it has what is wanted. */
async function healthRow(id: string, wanted: RegExp): Promise<string> {
  for (;;) {
    const { stdout } = await instance.cli(["get", "servers", "--health"]);
    const row = stdout.split("\n").find((line) => line.startsWith(`farms/web/servers/${id} `)) ?? "";
    if (wanted.test(row)) return row;
  }
}

test("a server is drained without cutting a connection, and whoever waits for it is told of the last one", async () => {
  const live = await connected();
  expect(serverOf(live)).toBe("one");
  const words = ["drain", "web/a", "--wait", "--server", instance.admin];
  const drain = new RunningSwitchyard(words, instance.folder);
  await drain.printed(/^1 connection left$/m);
  const next = await connected();
  expect(serverOf(next)).toBe("other");
  live.write("still there?");
  expect(String((await once(live, "data"))[0])).toBe("still there?");
  expect(drain.stdout).not.toContain("no connections left");
  live.destroy();
  expect(await drain.ended()).toBe(0);
  expect(drain.stdout).toMatch(/\nno connections left\n$/);
  expect((await instance.cli(["ready", "web/a"])).stdout).toMatch(/^farms\/web\/servers\/a: drain -> ready; now at /);
  await instance.settled();
  const back = await connected();
  expect(serverOf(back)).toBe("one");
  for (const socket of [next, back]) socket.destroy();
});

test("servers are shown with what checks make of them, live connections, and the certificate's end", async () => {
  const live = await connected();
  expect(await healthRow("a", / up +- +- +- +1 /)).toMatch(/ \d{4}-\d\d-\d\d|EXPIRES /);
  expect(await healthRow("dead", / down on 1 of 1 /)).toMatch(/ connect_refused/);
  live.destroy();
});
