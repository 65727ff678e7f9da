import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import { joinSocketAddress, type SocketAddress, splitSocketAddress } from "../../model/address.ts";
import { waitFor } from "../support/wait-for.ts";
import { type Balancer, haproxyBalancer, type HaproxyWay, nginxBalancer } from "./balancers.ts";
import { HeaderRecorder, type RecordedHeader } from "./header-recorder.ts";

interface SentWay extends HaproxyWay {
  /** Types of the values that its header must have. */
  readonly values?: readonly number[];
  /** How much HAProxy sends, where it is known. */
  readonly bytes?: number;
}

const ways: readonly SentWay[] = [
  { title: "version 1", send: "send-proxy" },
  { title: "version 1, IPv6", send: "send-proxy", host: "::1" },
  { title: "version 2", send: "send-proxy-v2", bytes: 28 },
  { title: "version 2, IPv6", send: "send-proxy-v2", host: "::1", bytes: 52 },
  { title: "version 2, crc32c", send: "send-proxy-v2 proxy-v2-options crc32c", values: [3] },
  { title: "version 2, unique-id", send: "send-proxy-v2 proxy-v2-options crc32c,unique-id", values: [3, 5] },
  {
    title: "version 2, of TLS",
    send: "send-proxy-v2 proxy-v2-options ssl,ssl-cipher,cert-key,cert-sig,authority,crc32c,unique-id",
    ssl: true,
    values: [0x20, 2, 3, 5],
  },
];

let recorder: HeaderRecorder;
let haproxy: Balancer;
let nginx: Balancer;

beforeAll(async () => {
  recorder = await HeaderRecorder.listen();
  haproxy = await haproxyBalancer(ways, recorder.address);
  nginx = await nginxBalancer(["127.0.0.1", "::1"], recorder.address);
});

afterAll(async () => {
  await Promise.all([haproxy.stop(), nginx.stop()]);
  await recorder.close();
});

/** Sends a word through a balancer and waits for its echo; the header that came with it, and the client's own addresses. */
async function through(
  to: SocketAddress,
  tls: boolean,
  word: string,
): Promise<{ header: RecordedHeader; source: SocketAddress; destination: SocketAddress }> {
  const { host, port } = splitSocketAddress(to);
  const localAddress = host.includes(":") ? "::1" : "127.0.0.77";
  const socket = connect({ host, port, localAddress });
  await once(socket, "connect");
  const source = joinSocketAddress(socket.localAddress as string, socket.localPort as number);
  const stream: Socket = tls
    ? connectTls({ socket, servername: "www.example.test", rejectUnauthorized: false })
    : socket;
  stream.write(word);
  let echo = "";
  stream.on("data", (chunk: Buffer) => (echo += chunk.toString()));
  await waitFor(`the echo of ${word}`, () => echo === word);
  stream.destroy();
  const header = recorder.headers.find(({ rest }) => rest === word);
  if (header === undefined) throw new Error(`no connection had ${word}`);
  return { header, source, destination: to };
}

/** The types of the values behind a header's addresses, in order. */
function valueTypes(bytes: Buffer): number[] {
  const types: number[] = [];
  let at = 16 + ((bytes[13] as number) >> 4 === 1 ? 12 : 36);
  while (at < bytes.length) {
    types.push(bytes[at] as number);
    at += 3 + bytes.readUInt16BE(at + 1);
  }
  return types;
}

test.each(ways)("a header of HAProxy is read, and no byte behind it: $title", async ({ title, ssl, values, bytes }) => {
  const to = haproxy.addresses.get(title) as SocketAddress;
  const { header, source, destination } = await through(to, ssl === true, `hello ${title}`);
  expect(header.outcome).toStrictEqual({
    outcome: "complete",
    bytes: header.bytes.length,
    addresses: { source, destination },
  });
  expect(header.rest).toBe(`hello ${title}`);
  if (bytes !== undefined) expect(header.bytes.length).toBe(bytes);
  if (values !== undefined) expect(new Set(valueTypes(header.bytes))).toStrictEqual(new Set(values));
});

test.each(["127.0.0.1", "::1"])("a header of nginx is read, and no byte behind it: %s", async (host) => {
  const { header, source, destination } = await through(
    nginx.addresses.get(host) as SocketAddress,
    false,
    `from ${host}`,
  );
  expect(header.outcome).toStrictEqual({
    outcome: "complete",
    bytes: header.bytes.length,
    addresses: { source, destination },
  });
  expect(header.bytes.toString()).toMatch(/^PROXY TCP[46] .*\r\n$/);
  expect(header.rest).toBe(`from ${host}`);
});

test.each([
  { send: "send-proxy-v2", header: /^\r\n\r\n\0\r\nQUIT\n\x20/ },
  { send: "send-proxy", header: /^PROXY TCP4 .*\r\n$/ },
])("HAProxy's health checks do not tell of a client: $send", async ({ send, header }) => {
  const checker = await haproxyBalancer(
    [{ title: "checks", send: `${send} check-send-proxy check inter 100` }],
    recorder.address,
  );
  // Its header says nothing, or the checker's own address.
  const check = await waitFor("a health check", () =>
    recorder.headers.find(({ bytes, outcome, peer }) => {
      const source = outcome.outcome === "complete" ? (outcome.addresses?.source ?? peer) : undefined;
      return source === peer && header.test(bytes.toString("latin1"));
    }),
  );
  await checker.stop();
  expect(check.rest).toBe("");
});
