import { describe, expect, test } from "vitest";
import { crc32c } from "./crc32c.ts";
import type { ProxyHeaderOutcome } from "./proxy-header.ts";
import { readProxyHeader } from "./read-proxy-header.ts";

const signature = "0d0a0d0a000d0a515549540a";
const malformed = { outcome: "malformed", reason: "proxy_malformed" } as const;
const tooBig = { outcome: "malformed", reason: "proxy_too_big" } as const;

function hex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.replaceAll(" ", ""), "hex"));
}

function line(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "latin1"));
}

/** A header of version 2: what stands behind the signature, its length put in. */
function block(commandAndFamily: string, rest: string): Uint8Array {
  const bytes = hex(rest);
  return hex(`${signature} ${commandAndFamily} ${bytes.length.toString(16).padStart(4, "0")} ${rest}`);
}

const tcp4 = "c0000201 c6336402 d431 01bb";
const tcp6 = "20010db8000000000000000000000001 20010db8000000000000000000000002 d431 01bb";
const mixed = "00000000000000000000ffffc0000201 20010db8000000000000000000000002 d431 01bb";
const unix = "00".repeat(216);
const addresses4 = { source: "192.0.2.1:54321", destination: "198.51.100.2:443" };
const addresses6 = { source: "[2001:db8::1]:54321", destination: "[2001:db8::2]:443" };

function withCrc(header: Uint8Array, crcAt: number): Uint8Array {
  new DataView(header.buffer).setUint32(crcAt, crc32c(header, header.length, crcAt));
  return header;
}

const good: readonly { title: string; bytes: Uint8Array; addresses: object | null }[] = [
  { title: "TCP4", bytes: line("PROXY TCP4 192.0.2.1 198.51.100.2 54321 443\r\n"), addresses: addresses4 },
  { title: "TCP6", bytes: line("PROXY TCP6 2001:DB8::1 2001:db8:0::2 54321 443\r\n"), addresses: addresses6 },
  {
    title: "TCP6, as long as it gets",
    bytes: line(`PROXY TCP6 ${"ffff:".repeat(7)}ffff ${"ffff:".repeat(7)}fffe 65535 65535\r\n`),
    addresses: { source: `[${"ffff:".repeat(7)}ffff]:65535`, destination: `[${"ffff:".repeat(7)}fffe]:65535` },
  },
  {
    title: "TCP6 with a mapped client, as HAProxy writes it",
    bytes: line("PROXY TCP6 ::ffff:192.0.2.1 2001:db8::2 54321 443\r\n"),
    addresses: { ...addresses6, source: addresses4.source },
  },
  {
    title: "port 0",
    bytes: line("PROXY TCP4 192.0.2.1 198.51.100.2 0 443\r\n"),
    addresses: { ...addresses4, source: "192.0.2.1:0" },
  },
  { title: "UNKNOWN", bytes: line("PROXY UNKNOWN\r\n"), addresses: null },
  { title: "UNKNOWN and more", bytes: line("PROXY UNKNOWN ffff::1 \xff 1 2 3\r\n"), addresses: null },
  { title: "a line of 107 bytes", bytes: line(`PROXY UNKNOWN ${"x".repeat(91)}\r\n`), addresses: null },
  { title: "v2 IPv4", bytes: block("2111", tcp4), addresses: addresses4 },
  { title: "v2 IPv6", bytes: block("2121", tcp6), addresses: addresses6 },
  { title: "v2, mapped", bytes: block("2121", mixed), addresses: { ...addresses6, source: addresses4.source } },
  { title: "v2 UNIX", bytes: block("2131", unix), addresses: null },
  { title: "v2 UNSPEC", bytes: block("2100", ""), addresses: null },
  { title: "v2 UNSPEC with anything", bytes: block("2100", "ffffff"), addresses: null },
  { title: "v2 IPv4 of UDP", bytes: block("2112", tcp4), addresses: null },
  { title: "v2 IPv4 of no transport", bytes: block("2110", tcp4), addresses: null },
  { title: "v2 LOCAL", bytes: block("2000", ""), addresses: null },
  { title: "v2 LOCAL with addresses", bytes: block("2011", tcp4), addresses: null },
  { title: "v2 LOCAL with anything", bytes: block("20ff", "030009"), addresses: null },
  { title: "v2 with values", bytes: block("2111", `${tcp4} 010002 6832 040000 ea0001ff`), addresses: addresses4 },
  { title: "v2 with a unique id", bytes: block("2111", `${tcp4} 050080 ${"07".repeat(128)}`), addresses: addresses4 },
  {
    title: "v2 with a checksum amid values",
    bytes: withCrc(block("2111", `${tcp4} 040001ff 030004 00000000 020001 61`), 16 + 12 + 4 + 3),
    addresses: addresses4,
  },
  { title: "v2 of 2048 bytes", bytes: block("2111", `${tcp4} 0407e1 ${"00".repeat(2017)}`), addresses: addresses4 },
];

/** `at`: how many of the bytes it takes to tell. */
const bad: readonly { title: string; bytes: Uint8Array; at: number; outcome: ProxyHeaderOutcome }[] = [
  { title: "a TLS record", bytes: hex("1603010200"), at: 1, outcome: { outcome: "absent" } },
  { title: "an HTTP request", bytes: line("PUT / HTTP/1.1\r\n"), at: 2, outcome: { outcome: "absent" } },
  { title: "a word that goes on", bytes: line("PROXYS"), at: 6, outcome: { outcome: "absent" } },
  { title: "lower case", bytes: line("proxy "), at: 1, outcome: { outcome: "absent" } },
  { title: "another signature", bytes: hex("0d0a0d0a0d"), at: 5, outcome: { outcome: "absent" } },
  ...[
    "TCP4 192.0.2.1 198.51.100.2 54321",
    "TCP4 192.0.2.1 198.51.100.2 54321 443 ",
    "TCP4 192.0.2.1 198.51.100.2 54321 443 1",
    "TCP4  192.0.2.1 198.51.100.2 54321 443",
    "TCP4\t192.0.2.1 198.51.100.2 54321 443",
    "TCP4 192.0.2.01 198.51.100.2 54321 443",
    "TCP4 192.0.2 198.51.100.2 54321 443",
    "TCP4 192.0.2.256 198.51.100.2 54321 443",
    "TCP4 192.0.2.1 198.51.100.2 054321 443",
    "TCP4 192.0.2.1 198.51.100.2 65536 443",
    "TCP4 192.0.2.1 198.51.100.2 +1 443",
    "TCP4 192.0.2.1 198.51.100.2 54321 00",
    "TCP4 2001:db8::1 2001:db8::2 54321 443",
    "TCP4 a.test 198.51.100.2 54321 443",
    "TCP6 192.0.2.1 2001:db8::2 54321 443",
    "TCP6 2001:db8::1::2 2001:db8::2 54321 443",
    "TCP6 fe80::1%eth0 2001:db8::2 54321 443",
    "TCP6 [2001:db8::1] 2001:db8::2 54321 443",
    "UDP4 192.0.2.1 198.51.100.2 54321 443",
    "tcp4 192.0.2.1 198.51.100.2 54321 443",
    "UNKNOWNX",
    "",
  ].map((text) => ({
    title: `the line "${text}"`,
    bytes: line(`PROXY ${text}\r\n`),
    at: text.length + 8,
    outcome: malformed,
  })),
  { title: "a line that ends in LF", bytes: line("PROXY UNKNOWN\n"), at: 14, outcome: malformed },
  { title: "a CR alone", bytes: line("PROXY UNKNOWN\rx"), at: 15, outcome: malformed },
  { title: "a line of 108 bytes", bytes: line(`PROXY UNKNOWN ${"x".repeat(92)}\r\n`), at: 107, outcome: tooBig },
  { title: "a line without an end", bytes: line(`PROXY ${"x".repeat(500)}`), at: 107, outcome: tooBig },
  { title: "version 1 in binary", bytes: hex(`${signature} 11`), at: 13, outcome: malformed },
  { title: "version 3", bytes: hex(`${signature} 31`), at: 13, outcome: malformed },
  { title: "an unknown command", bytes: hex(`${signature} 22`), at: 13, outcome: malformed },
  { title: "an unknown family", bytes: hex(`${signature} 21 41`), at: 14, outcome: malformed },
  { title: "an unknown transport", bytes: hex(`${signature} 21 13`), at: 14, outcome: malformed },
  { title: "no room for IPv4", bytes: block("2111", "00".repeat(11)), at: 16, outcome: malformed },
  { title: "no room for IPv6", bytes: block("2121", "00".repeat(35)), at: 16, outcome: malformed },
  { title: "no room for UNIX", bytes: block("2131", "00".repeat(215)), at: 16, outcome: malformed },
  { title: "2049 bytes", bytes: hex(`${signature} 21 11 07f1`), at: 16, outcome: tooBig },
  { title: "LOCAL with 64 KiB", bytes: hex(`${signature} 20 00 ffff`), at: 16, outcome: tooBig },
  ...[
    { title: "a value's type alone", values: "01" },
    { title: "a value without its length", values: "0100" },
    { title: "a value cut short", values: "010002 68" },
    { title: "a second value cut short", values: "010002 6832 040001" },
    { title: "a unique id of 129 bytes", values: `050081 ${"07".repeat(129)}` },
    { title: "a checksum of 3 bytes", values: "030003 000000" },
    { title: "a checksum of 5 bytes", values: "030005 0000000000" },
    { title: "a checksum that is wrong", values: "030004 00000000" },
  ].map(({ title, values }) => {
    const bytes = block("2111", `${tcp4} ${values}`);
    return { title, bytes, at: bytes.length, outcome: malformed };
  }),
  ...[31, 38].map((crcAt) => ({
    title: `two checksums, the one at ${crcAt} right`,
    bytes: withCrc(block("2111", `${tcp4} 030004 00000000 030004 00000000`), crcAt),
    at: 42,
    outcome: malformed,
  })),
  { title: "UNIX with a value cut short", bytes: block("2131", `${unix} 0100`), at: 234, outcome: malformed },
];

describe("a good PROXY header", () => {
  test.each(good)("$title: says who is behind it, whatever follows", ({ bytes, addresses }) => {
    const outcome = { outcome: "complete", bytes: bytes.length, addresses };
    expect(readProxyHeader(bytes)).toStrictEqual(outcome);
    expect(readProxyHeader(Buffer.concat([bytes, bytes]))).toStrictEqual(outcome);
  });

  test.each(good)("$title: every prefix is incomplete", ({ bytes }) => {
    for (let end = 0; end < bytes.length; end += 1)
      expect(readProxyHeader(bytes.subarray(0, end))).toStrictEqual({ outcome: "incomplete" });
  });
});

describe("what is no PROXY header, or a bad one", () => {
  test.each(bad)("$title: is told at its byte, and stays", ({ bytes, at, outcome }) => {
    for (let end = 0; end < at; end += 1)
      expect(readProxyHeader(bytes.subarray(0, end)), `${end} bytes`).toStrictEqual({ outcome: "incomplete" });
    for (let end = at; end <= bytes.length; end += 1)
      expect(readProxyHeader(bytes.subarray(0, end)), `${end} bytes`).toStrictEqual(outcome);
  });

  test("any byte of a header with a checksum, when changed, is noticed, but for two that take the check away", () => {
    const header = withCrc(block("2111", `${tcp4} 010002 6832 030004 00000000`), 16 + 12 + 5 + 3);
    for (let at = 0; at < header.length; at += 1) {
      const changed = header.slice();
      changed[at] = (changed[at] as number) ^ 0x01;
      const { outcome } = readProxyHeader(changed);
      expect([at, outcome]).toStrictEqual([at, expectedOfFlip(at)]);
    }
  });
});

/** The command becomes LOCAL, the checksum an authority, and the length's bytes an end that is not there yet. */
function expectedOfFlip(at: number): ProxyHeaderOutcome["outcome"] {
  if (at < 12) return "absent";
  if (at === 12 || at === 33) return "complete";
  return at === 14 || at === 15 ? "incomplete" : "malformed";
}

test("the checksum is that of RFC 3720 appendix B.4", () => {
  const zeros = new Uint8Array(32);
  expect(crc32c(zeros, 32, 32)).toBe(0x8a9136aa);
  expect(crc32c(zeros.fill(0xff), 32, 32)).toBe(0x62a8ab43);
  expect(
    crc32c(
      Uint8Array.from(zeros, (_, index) => index),
      32,
      32,
    ),
  ).toBe(0x46dd794e);
  expect(crc32c(line("123456789"), 9, 9)).toBe(0xe3069283);
});
