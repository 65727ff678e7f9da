import { describe, expect, it } from "vitest";
import { parseNatsUrls } from "./nats-servers.ts";

describe("a list of URLs", () => {
  it.each([
    ["nats://a:1,b", { servers: ["a:1", "b:4222"] }],
    ["nats://u:p%40@a , nats://b:2", { servers: ["a:4222", "b:2"], user: "u", pass: "p@" }],
    ["tls://[::1]:4", { servers: ["[::1]:4"], tls: {} }],
  ])("%s is read", (text, servers) => expect(parseNatsUrls(text)).toEqual(servers));

  it.each(["", "http://a", "nats://", "a,,b"])("%j is refused", (text) =>
    expect(() => parseNatsUrls(text)).toThrow(RangeError),
  );

  it("is refused without showing its password", () =>
    expect(() => parseNatsUrls("http://u:secret@a")).toThrow(/^(?!.*secret)/));
});
