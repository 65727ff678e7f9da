import { expect, it } from "vitest";
import { peerAddress } from "./peer-address.ts";

it.each([
  ["192.0.2.1", 443, "192.0.2.1:443"],
  ["::ffff:192.0.2.1", 443, "192.0.2.1:443"],
  ["::FFFF:192.0.2.1", 443, "192.0.2.1:443"],
  ["2001:db8::7", 1, "[2001:db8::7]:1"],
  ["2001:DB8:0:0:0:0:0:7", 1, "[2001:db8::7]:1"],
  ["fe80::1%eth0", 65_535, "[fe80::1]:65535"],
  ["::ffff:1", 9, "[::ffff:1]:9"],
  [undefined, undefined, "0.0.0.0:0"],
  ["nonsense", 1, "0.0.0.0:0"],
])("%s and %s are %s", (host, port, address) => {
  expect(peerAddress(host, port)).toBe(address);
});
