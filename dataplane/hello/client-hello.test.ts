import { describe, expect, test } from "vitest";
import {
  alpn,
  filler,
  hello,
  helloWith,
  latin1,
  preSharedKey,
  serverName,
  sessionTicket,
  supportedVersions,
} from "../../test/corpus/hello-builder.ts";
import { describeOutcome } from "../../test/corpus/describe-outcome.ts";
import type { ClientHello } from "./client-hello.ts";
import { readHello } from "./hello-reader.ts";

function read(bytes: Uint8Array): ClientHello {
  const outcome = readHello(bytes, 16_384);
  if (outcome.outcome !== "complete") throw new Error(JSON.stringify(outcome));
  return outcome.hello;
}

describe("ALPN", () => {
  const offered = read(helloWith(alpn("\u{1a}\u{1a}", "h2", "http/1.1", "\u{e9}")));

  test.each([
    { protocol: "h2", index: 0 },
    { protocol: "http/1.1", index: 1 },
    { protocol: "\u{e9}", index: 2 },
    { protocol: "http/1.0", index: -1 },
    { protocol: "H2", index: -1 },
    { protocol: "h", index: -1 },
    { protocol: "", index: -1 },
    { protocol: "\u{1a}\u{1a}", index: -1 },
  ])("the index of $protocol is $index, as text and as bytes", ({ protocol, index }) => {
    expect(offered.alpnIndex(protocol)).toBe(index);
    expect(offered.alpnIndex(latin1(protocol))).toBe(index);
    expect(offered.alpnProtocols().indexOf(protocol)).toBe(index);
  });

  test("text beyond one byte a character is never offered", () => {
    expect(offered.alpnIndex("\u{168}2")).toBe(-1);
  });

  test("nothing is offered without the extension", () => {
    expect(read(helloWith()).alpnProtocols()).toStrictEqual([]);
    expect(read(helloWith()).alpnIndex("h2")).toBe(-1);
  });
});

describe("tickets and identities are the client's bytes", () => {
  test.each([
    { title: "absent", bytes: helloWith(), ticket: null },
    { title: "asked for", bytes: helloWith(sessionTicket(filler(0))), ticket: [] },
    { title: "given back", bytes: helloWith(sessionTicket(filler(5))), ticket: [...filler(5)] },
  ])("a TLS 1.2 ticket that is $title", ({ bytes, ticket }) => {
    const found = read(bytes).sessionTicket;
    expect(found === null ? null : [...found]).toStrictEqual(ticket);
  });

  test("PSK identities in the client's order", () => {
    const found = read(helloWith(serverName("a.test"), preSharedKey(filler(3, 1), filler(4, 2))));
    expect(found.pskIdentities()).toStrictEqual([filler(3, 1), filler(4, 2)]);
  });

  test("the session id", () => {
    expect([...read(hello({ sessionId: filler(9) })).sessionId]).toStrictEqual([...filler(9)]);
  });
});

test("a hello that was retained is whole after the chunk was reused", () => {
  const bytes = hello({
    sessionId: filler(32),
    extensions: [serverName("A.test"), alpn("h2"), supportedVersions(0x0304), preSharedKey(filler(20))],
  });
  const first = read(bytes);
  const expected = describeOutcome({ outcome: "complete", hello: first });
  const kept = first.retained();
  bytes.fill(0xff);
  expect(describeOutcome({ outcome: "complete", hello: kept })).toStrictEqual(expected);
  expect(first.serverName()).toBe("a.test");
  expect(describeOutcome({ outcome: "complete", hello: first })).not.toStrictEqual(expected);
});
