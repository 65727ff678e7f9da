import { describe, expect, it } from "vitest";
import { CliFailure } from "../cli-failure.ts";
import { parseServerAddress, parseTimeoutMs } from "./server-address.ts";

describe("the control plane's address", () => {
  it.each(["127.0.0.1:7700", "localhost:1", "[::1]:7700", "control.example.com:65535", "a_b:80"])(
    "may be %s",
    (text) => {
      expect(parseServerAddress(text)).toBe(text);
    },
  );
  it.each(["", "localhost", ":7700", "a:0", "a:65536", "::1:7700", "http://a:1", "unix:/x:1", "a b:1", "a:1\n"])(
    "may not be %j",
    (text) => {
      expect(() => parseServerAddress(text)).toThrow(CliFailure);
    },
  );
});

describe("a timeout", () => {
  it.each([
    ["30s", 30_000],
    ["500ms", 500],
    ["1.5s", 1500],
    ["2m", 120_000],
    ["60m", 3_600_000],
  ] as const)("%s is %d ms", (text, timeoutMs) => {
    expect(parseTimeoutMs(text)).toBe(timeoutMs);
  });
  it.each(["", "30", "s", "-1s", "0s", "61m", "1h", "1e3s", "30 s"])("may not be %j", (text) => {
    expect(() => parseTimeoutMs(text)).toThrow(CliFailure);
  });
});
