import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  localProxyHeader,
  type ProxiedConnection,
  proxyHeaderBytes,
} from "../../dataplane/hello/proxy-header-bytes.ts";
import type { SocketAddress } from "../../model/address.ts";
import type { ProxyTlv } from "../../model/farm-policy.ts";
import { haproxyServer, type HeaderReadingServer, nginxServer } from "./header-reading-servers.ts";
import { requestOver } from "./request-over.ts";

const allValues: readonly ProxyTlv[] = ["alpn", "authority", "crc32c", "unique_id"];
const client4 = "192.0.2.1:54321";
const client6 = "[2001:db8::1]:54321";
const node4 = "198.51.100.2:443";
const node6 = "[2001:db8::2]:8443";

function connection(source: string, destination: string): ProxiedConnection {
  return {
    source: source as SocketAddress,
    destination: destination as SocketAddress,
    serverName: "www.example.test",
    alpn: "h2",
    uniqueId: Buffer.from("id-0001"),
  };
}

interface Written {
  readonly title: string;
  readonly header: Uint8Array;
  /** What nginx says. */
  readonly nginx: string;
  /** What HAProxy says, where it says more. */
  readonly haproxy: string;
}

const versions = [
  { version: 1, tlvs: [] },
  { version: 2, tlvs: [] },
  { version: 2, tlvs: allValues },
] as const;

const written: readonly Written[] = versions.flatMap((policy) =>
  [
    { source: client4, destination: node4, said: "192.0.2.1 54321 198.51.100.2 443" },
    { source: client6, destination: node6, said: "2001:db8::1 54321 2001:db8::2 8443" },
    { source: "[::ffff:192.0.2.1]:54321", destination: node4, said: "192.0.2.1 54321 198.51.100.2 443" },
    { source: client4, destination: node6, said: "::ffff:192.0.2.1 54321 2001:db8::2 8443" },
    { source: client6, destination: node4, said: "2001:db8::1 54321 ::ffff:198.51.100.2 443" },
  ].map(({ source, destination, said }) => ({
    title: `version ${policy.version} with ${policy.tlvs.length} values, ${source} to ${destination}`,
    header: proxyHeaderBytes(policy, connection(source, destination)),
    nginx: policy.version === 1 ? said.replaceAll(/::ffff:\d+\.[\d.]+/g, inHex) : said,
    haproxy: `${said} ${policy.tlvs.length > 0 ? "www.example.test id-0001" : " "}`,
  })),
);

/** nginx repeats the words of version 1, which has no dots in IPv6 addresses. */
function inHex(mapped: string): string {
  return mapped.includes("192.0.2.1") ? "::ffff:c000:201" : "::ffff:c633:6402";
}

let nginx: HeaderReadingServer;
let haproxy: HeaderReadingServer;

beforeAll(async () => {
  [nginx, haproxy] = await Promise.all([nginxServer(), haproxyServer()]);
});

afterAll(async () => {
  await Promise.all([nginx.stop(), haproxy.stop()]);
});

describe("a header that we write says to a real server who the client is", () => {
  test.each(written)("nginx: $title", async ({ header, nginx: said }) => {
    expect(await requestOver(nginx.address, { header })).toBe(said);
  });

  test.each(written)("HAProxy: $title", async ({ header, haproxy: said }) => {
    expect(await requestOver(haproxy.address, { header })).toBe(said);
  });
});

describe("a header of the node's own connections says nothing of a client, and is taken", () => {
  test.each([1, 2] as const)("HAProxy, version %i: it goes by the connection's own addresses", async (version) => {
    const said = await requestOver(haproxy.address, { from: "127.0.0.9", header: localProxyHeader(version) });
    expect(said).toMatch(/^127\.0\.0\.9 \d+ 127\.0\.0\.1 \d+/);
  });

  test.each([1, 2] as const)("nginx, version %i", async (version) => {
    expect(await requestOver(nginx.address, { header: localProxyHeader(version) })).not.toContain("192.0.2");
  });
});

describe("the servers do read the header", () => {
  const good = proxyHeaderBytes({ version: 2, tlvs: ["crc32c"] }, connection(client4, node4));

  test("HAProxy refuses another address under the same checksum", async () => {
    expect(await requestOver(haproxy.address, { header: good })).toContain("192.0.2.1");
    expect(await requestOver(haproxy.address, { header: good.with(19, 2) })).toMatch(/^ECONNRESET$|^closed$/);
  });

  test("neither takes a connection without one", async () => {
    for (const { address } of [nginx, haproxy]) expect(await requestOver(address)).toMatch(/^ECONNRESET$|^closed$/);
  });
});
