import { describe, expect, it } from "vitest";
import { packAddress, unpackAddress } from "./native-address.ts";

describe("an address as the native engine carries it", () => {
  it.each([
    ["127.0.0.1:443", "127.0.0.1:443"],
    ["255.254.253.252:65535", "255.254.253.252:65535"],
    ["0.0.0.0:0", "0.0.0.0:0"],
    ["[::]:1", "[::]:1"],
    ["[2001:db8::7]:8443", "[2001:db8::7]:8443"],
    ["[::ffff:192.0.2.1]:80", "192.0.2.1:80"],
  ])("%s becomes %s again", (text, again) => {
    const packed = packAddress(text as never);
    expect(packed).toHaveLength(20);
    expect(unpackAddress(packed)).toBe(again);
  });

  it.each(["nobody:1", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1", "[::1]:x"])("%s is refused", (text) => {
    expect(() => packAddress(text as never)).toThrow(RangeError);
  });
});
