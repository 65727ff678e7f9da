import { isIP } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  ipBytes,
  ipText,
  joinSocketAddress,
  networkBits,
  networkContains,
  parseIpAddress,
  parseNetwork,
  parseSocketAddress,
  splitSocketAddress,
} from "./address.ts";

// The run's seed, which the test runner prints.
fc.configureGlobal({ seed: Number(process.env["SWITCHYARD_TEST_SEED"] ?? 1) });

describe("an IP address", () => {
  it.each([
    ["127.0.0.1", "127.0.0.1"],
    ["0.0.0.0", "0.0.0.0"],
    ["255.255.255.255", "255.255.255.255"],
    ["::", "::"],
    ["::1", "::1"],
    ["1::", "1::"],
    ["0:0:0:0:0:0:0:1", "::1"],
    ["2001:DB8::ABCD", "2001:db8::abcd"],
    ["2001:0db8:0000:0000:0000:0000:0000:0007", "2001:db8::7"],
    // RFC 5952 section 4.2.2: one zero group is not shortened.
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    // Section 4.2.3: the longest run is, and the first of two that are equal.
    ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"],
    ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
    ["::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"],
    // Section 5: the last 32 bits in dotted form where an IPv4 address is mapped; anywhere when read.
    ["::ffff:192.0.2.1", "::ffff:192.0.2.1"],
    ["::FFFF:C000:201", "::ffff:192.0.2.1"],
    ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
    ["1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"],
    ["::1.2.3.4", "::102:304"],
  ])("%s is %s in canonical text", (text, canonical) => {
    expect(parseIpAddress(text)).toBe(canonical);
    expect(parseIpAddress(canonical)).toBe(canonical);
    expect(isIP(text)).not.toBe(0);
  });

  it.each([
    "",
    " 127.0.0.1",
    "127.0.0.1 ",
    "127.0.0.1\n",
    "127.0.0",
    "127.0.0.1.1",
    "127.0.0.256",
    "127.0.0.01",
    "0x7f.0.0.1",
    "127.0.0.",
    "127..0.1",
    "2130706433",
    "localhost",
    ":",
    ":::",
    "::1::",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8::",
    "::1:2:3:4:5:6:7:8",
    ":1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:",
    "::12345",
    "::g",
    "fe80::1%eth0",
    "[::1]",
    "::1.2.3",
    "1.2.3.4::",
    "::1.2.3.4:5",
    ":1.2.3.4",
    "1:2:3:4:5:6:7:1.2.3.4",
  ])("is not %j", (text) => {
    expect(parseIpAddress(text)).toBeUndefined();
  });

  it("survives the way to text and back, and what node:net takes for one is one", () => {
    const bytes = fc.oneof(
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      // Zeros are likely, so that runs of them are.
      fc
        .array(fc.oneof(fc.constant(0), fc.nat(0xffff)), { minLength: 8, maxLength: 8 })
        .map((groups) => Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]))),
    );
    fc.assert(
      fc.property(bytes, (each) => {
        const text = ipText(each);
        expect(ipBytes(text)).toEqual(each);
        expect(isIP(text)).toBe(each.length === 4 ? 4 : 6);
      }),
      { numRuns: 1000 },
    );
  });

  it("is read as node:net reads it, among texts that are nearly addresses", () => {
    const piece = fc.constantFrom("0", "1", "01", "ab", "255", "256", "FFFF", "10000", ":", "::", ".", "g", "");
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 17 }), (pieces) => {
        const text = pieces.join("");
        expect(parseIpAddress(text) !== undefined).toBe(isIP(text) !== 0);
      }),
      { numRuns: 5000 },
    );
  });
});

describe("a socket address", () => {
  it.each([
    ["127.0.0.1:8443", "127.0.0.1:8443", "127.0.0.1", 8443],
    ["[::1]:443", "[::1]:443", "::1", 443],
    ["[2001:DB8:0::7]:1", "[2001:db8::7]:1", "2001:db8::7", 1],
    ["[::ffff:127.0.0.1]:65535", "[::ffff:127.0.0.1]:65535", "::ffff:127.0.0.1", 65_535],
  ])("%s is %s in canonical text", (text, canonical, host, port) => {
    const parsed = parseSocketAddress(text);
    expect(parsed).toBe(canonical);
    expect(splitSocketAddress(parsed!)).toEqual({ host, port });
    expect(joinSocketAddress(host, port)).toBe(canonical);
  });

  it.each([
    "",
    "127.0.0.1",
    "127.0.0.1:",
    ":8443",
    "127.0.0.1:0",
    "127.0.0.1:08443",
    "127.0.0.1:65536",
    "127.0.0.1:99999",
    "127.0.0.1:+80",
    "127.0.0.1:80 ",
    "127.0.0.1:80\n",
    "localhost:80",
    "[127.0.0.1]:80",
    "::1:80",
    "[::1]",
    "[::1:80",
    "[::1]80",
    "[]:80",
    "[::1%lo]:80",
  ])("is not %j", (text) => {
    expect(parseSocketAddress(text)).toBeUndefined();
  });
});

describe("a network", () => {
  it.each([
    ["10.0.0.0/8", "10.0.0.0/8"],
    ["0.0.0.0/0", "0.0.0.0/0"],
    ["192.0.2.128/25", "192.0.2.128/25"],
    ["192.0.2.1/32", "192.0.2.1/32"],
    ["192.0.2.1", "192.0.2.1/32"],
    ["2001:DB8:0::/32", "2001:db8::/32"],
    ["::/0", "::/0"],
    ["::1", "::1/128"],
    // Mapped networks are IPv4 networks: a mapped client is compared as IPv4.
    ["::ffff:10.0.0.0/104", "10.0.0.0/8"],
    ["::ffff:0:0/96", "0.0.0.0/0"],
    ["::ffff:192.0.2.1", "192.0.2.1/32"],
    ["::fffe:0:0/95", "::fffe:0:0/95"],
  ])("%s is %s in canonical text", (text, canonical) => {
    expect(parseNetwork(text)).toBe(canonical);
    expect(parseNetwork(canonical)).toBe(canonical);
  });

  it.each([
    "",
    "/8",
    "10.0.0.0/",
    "10.0.0.0/33",
    "10.0.0.0/08",
    "10.0.0.0/-1",
    "10.0.0.0/8/8",
    "10.0.0.1/8",
    "10.0.0.0/ 8",
    "10.0.0.128/24",
    "::1/127",
    "::/129",
    "10.0.0.0/255.0.0.0",
    "10/8",
    "example.com/8",
  ])("is not %j", (text) => {
    expect(parseNetwork(text)).toBeUndefined();
  });

  it.each([
    ["10.0.0.0/8", "10.255.255.255", true],
    ["10.0.0.0/8", "11.0.0.0", false],
    ["192.0.2.128/25", "192.0.2.128", true],
    ["192.0.2.128/25", "192.0.2.127", false],
    ["192.0.2.1/32", "192.0.2.1", true],
    ["192.0.2.1/32", "192.0.2.0", false],
    ["0.0.0.0/0", "203.0.113.9", true],
    ["0.0.0.0/0", "2001:db8::1", false],
    ["2001:db8::/33", "2001:db8:7fff::1", true],
    ["2001:db8::/33", "2001:db8:8000::1", false],
    ["::/0", "2001:db8::1", true],
    ["::/0", "10.0.0.1", false],
    ["::/0", "::ffff:10.0.0.1", false],
    ["10.0.0.0/8", "::ffff:10.1.1.1", true],
    ["::ffff:10.0.0.0/104", "::ffff:10.1.1.1", true],
    ["::ffff:10.0.0.0/104", "10.1.1.1", true],
    ["::/96", "::10.0.0.1", true],
    // The mapped prefix in the wrong place.
    ["10.0.0.0/8", "1::ffff:10.1.1.1", false],
  ])("%s has %s in it: %s", (network, address, contains) => {
    expect(networkContains(networkBits(parseNetwork(network)!), ipBytes(address)!)).toBe(contains);
  });
});
