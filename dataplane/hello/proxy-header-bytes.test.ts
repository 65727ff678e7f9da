import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ipText, joinSocketAddress, parseSocketAddress, type SocketAddress } from "../../model/address.ts";
import type { ProxyTlv } from "../../model/farm-policy.ts";
import { localProxyHeader, type ProxiedConnection, proxyHeaderBytes } from "./proxy-header-bytes.ts";
import { readProxyHeader } from "./read-proxy-header.ts";

const seed = Number(process.env["SWITCHYARD_TEST_SEED"]);
const signature = "0d0a0d0a000d0a515549540a";
const client4 = "192.0.2.1:54321";
const client6 = "[2001:db8::1]:54321";
const mapped = "[::ffff:192.0.2.1]:54321";
const node4 = "198.51.100.2:443";
const node6 = "[2001:db8::2]:443";
const hex4 = "c0000201";
const hex6 = "20010db8000000000000000000000001";
const hexMapped = `00000000000000000000ffff${hex4}`;
const hexNode4 = "c6336402";
const hexNode6 = "20010db8000000000000000000000002";
const ports = "d43101bb";

function connection(source: string, destination: string, more: Partial<ProxiedConnection> = {}): ProxiedConnection {
  return {
    source: source as SocketAddress,
    destination: destination as SocketAddress,
    serverName: "a.test",
    alpn: "h2",
    uniqueId: Uint8Array.of(7, 8),
    ...more,
  };
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

describe("version 1", () => {
  test.each([
    { source: client4, destination: node4, line: "TCP4 192.0.2.1 198.51.100.2 54321 443" },
    { source: client6, destination: node6, line: "TCP6 2001:db8::1 2001:db8::2 54321 443" },
    { source: mapped, destination: node4, line: "TCP4 192.0.2.1 198.51.100.2 54321 443" },
    { source: client4, destination: node6, line: "TCP6 ::ffff:c000:201 2001:db8::2 54321 443" },
    { source: client6, destination: node4, line: "TCP6 2001:db8::1 ::ffff:c633:6402 54321 443" },
  ])("$source to $destination: $line", ({ source, destination, line }) => {
    const bytes = proxyHeaderBytes({ version: 1, tlvs: [] }, connection(source, destination));
    expect(Buffer.from(bytes).toString("latin1")).toBe(`PROXY ${line}\r\n`);
  });
});

describe("version 2", () => {
  test.each([
    { source: client4, destination: node4, block: `11000c${hex4}${hexNode4}${ports}` },
    { source: client6, destination: node6, block: `210024${hex6}${hexNode6}${ports}` },
    { source: mapped, destination: node4, block: `11000c${hex4}${hexNode4}${ports}` },
    { source: client4, destination: node6, block: `210024${hexMapped}${hexNode6}${ports}` },
    { source: mapped, destination: node6, block: `210024${hexMapped}${hexNode6}${ports}` },
    { source: client6, destination: node4, block: `210024${hex6}00000000000000000000ffff${hexNode4}${ports}` },
  ])("$source to $destination", ({ source, destination, block }) => {
    const bytes = proxyHeaderBytes({ version: 2, tlvs: [] }, connection(source, destination));
    expect(hexOf(bytes)).toBe(`${signature}21${block}`);
  });

  test.each<{ title: string; tlvs: readonly ProxyTlv[]; more?: Partial<ProxiedConnection>; values: string }>([
    { title: "ALPN", tlvs: ["alpn"], values: "0100026832" },
    { title: "ALPN of any bytes", tlvs: ["alpn"], more: { alpn: "\u{e9}\0" }, values: "010002e900" },
    { title: "no ALPN", tlvs: ["alpn"], more: { alpn: null }, values: "" },
    { title: "the server name", tlvs: ["authority"], values: "020006612e74657374" },
    { title: "no server name", tlvs: ["authority"], more: { serverName: null }, values: "" },
    { title: "a unique id", tlvs: ["unique_id"], values: "0500020708" },
    {
      title: "as much of a unique id as may be",
      tlvs: ["unique_id"],
      more: { uniqueId: new Uint8Array(200).fill(9) },
      values: `050080${"09".repeat(128)}`,
    },
    { title: "in the policy's order", tlvs: ["unique_id", "alpn"], values: "05000207080100026832" },
  ])("$title", ({ tlvs, more, values }) => {
    const bytes = proxyHeaderBytes({ version: 2, tlvs }, connection(client4, node4, more));
    expect(hexOf(bytes).slice(2 * 28)).toBe(values);
    expect(readProxyHeader(bytes)).toMatchObject({ outcome: "complete", bytes: bytes.length });
  });
});

test.each([
  { version: 1, hex: hexOf(Buffer.from("PROXY UNKNOWN\r\n")) },
  { version: 2, hex: `${signature}20000000` },
] as const)("the node's own connections have a header of version $version without addresses", ({ version, hex }) => {
  const bytes = localProxyHeader(version);
  expect(hexOf(bytes)).toBe(hex);
  expect(readProxyHeader(bytes)).toStrictEqual({ outcome: "complete", bytes: bytes.length, addresses: null });
});

test(`what is written is read again, and another address under the same checksum is noticed (seed ${seed})`, () => {
  const addressBytes = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
    fc.uint8Array({ minLength: 4, maxLength: 4 }).map((v4) => Uint8Array.of(...new Array(10).fill(0), 255, 255, ...v4)),
  );
  const socketAddress = fc
    .tuple(addressBytes, fc.integer({ min: 1, max: 65_535 }))
    .map(([bytes, port]) => joinSocketAddress(ipText(bytes), port));
  const law = fc.property(
    fc.record({
      source: socketAddress,
      destination: socketAddress,
      serverName: fc.option(fc.stringMatching(/^[a-z]{1,63}(\.[a-z]{1,60}){0,3}$/)),
      alpn: fc.option(fc.uint8Array({ minLength: 1, maxLength: 255 }).map((bytes) => String.fromCharCode(...bytes))),
      uniqueId: fc.uint8Array({ maxLength: 140 }),
    }),
    fc.subarray<ProxyTlv>(["alpn", "authority", "unique_id"]),
    fc.nat(),
    (of, tlvs, place) => {
      const addresses = { source: plain(of.source), destination: plain(of.destination) };
      const line = proxyHeaderBytes({ version: 1, tlvs: [] }, of);
      expect(readProxyHeader(line)).toStrictEqual({ outcome: "complete", bytes: line.length, addresses });
      const block = proxyHeaderBytes({ version: 2, tlvs: [...tlvs, "crc32c"] }, of);
      expect(readProxyHeader(block)).toStrictEqual({ outcome: "complete", bytes: block.length, addresses });
      const at = 16 + (place % 12);
      block[at] = (block[at] as number) ^ 0x10;
      expect(readProxyHeader(block)).toMatchObject({ reason: "proxy_malformed" });
    },
  );
  fc.assert(law, { seed, numRuns: 300 });
});

/** A mapped address as IPv4. */
function plain(address: SocketAddress): SocketAddress {
  const v4 = /^\[::ffff:([\d.]+)\](:\d+)$/.exec(address);
  return v4 === null ? address : (parseSocketAddress(`${v4[1]}${v4[2]}`) as SocketAddress);
}
