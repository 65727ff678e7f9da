import { describe, expect, test } from "vitest";
import {
  filler,
  handshake,
  hello,
  helloBody,
  helloWith,
  padding,
  record,
  records,
  serverName,
} from "../../test/corpus/hello-builder.ts";
import { HelloReader, readHello } from "./hello-reader.ts";

const helloBytesMax = 16_384;

describe("the hello reader's limit", () => {
  const message = handshake(helloBody());

  test.each([
    { title: "a message as long as the limit is read", limit: message.length, outcome: "complete" },
    { title: "a message one byte longer is refused", limit: message.length - 1, outcome: "rejected" },
  ])("$title, record headers not counted", ({ limit, outcome }) => {
    expect(readHello(records(message), limit).outcome).toBe(outcome);
    expect(readHello(records(message, 10), limit).outcome).toBe(outcome);
  });

  test("a hello of 64 KiB is read where the listener allows it", () => {
    const extensions = (fill: number) => [padding(fill), serverName("big.test")];
    const spare = 65_536 - handshake(helloBody({ extensions: extensions(0) })).length;
    // Its extensions stay within their 16-bit length: the rest is cipher suites.
    const cipherSuites = Array.from({ length: 7 + 1000 }, () => 0x1301);
    const big = handshake(helloBody({ cipherSuites, extensions: extensions(spare - 2000) }));
    expect(big.length).toBe(65_536);
    expect(readHello(records(big), 65_536).outcome).toBe("complete");
    expect(readHello(records(big), 65_535)).toMatchObject({ reason: "hello_too_big" });
  });
});

describe("the hello reader's memory", () => {
  test("a hello in one piece is not copied", () => {
    const bytes = hello({ sessionId: filler(32) });
    const reader = new HelloReader(helloBytesMax);
    const outcome = reader.push(bytes);
    expect(reader.bytesHeld).toBe(0);
    expect(outcome.outcome === "complete" && outcome.hello.sessionId.buffer).toBe(bytes.buffer);
  });

  test("a hello that was announced and not sent holds nothing", () => {
    const reader = new HelloReader(helloBytesMax);
    reader.push(record(handshake(new Uint8Array(0), 1, 16_000), 0x0301, 22, 16_004));
    expect(reader.bytesHeld).toBe(0);
    reader.push(Uint8Array.of(3));
    expect(reader.bytesHeld).toBe(64);
  });

  test.each([1, 7, 100, 1460])("chunks of %i bytes hold less than twice what came", (size) => {
    const bytes = helloWith(padding(10_000), serverName("a.test"));
    const reader = new HelloReader(helloBytesMax);
    for (let at = 0; at < bytes.length; at += size) {
      reader.push(bytes.subarray(at, at + size));
      expect(reader.bytesHeld).toBeLessThanOrEqual(Math.max(64, 2 * Math.min(at + size, bytes.length)));
      expect(reader.bytesHeld).toBeLessThanOrEqual(bytes.length - 9);
    }
    expect(reader.bytesHeld).toBe(bytes.length - 9);
  });

  test("a hello that is refused is let go", () => {
    const malformed = hello({ cipherSuites: [] });
    const reader = new HelloReader(helloBytesMax);
    reader.push(malformed.subarray(0, 40));
    expect(reader.bytesHeld).toBe(64);
    expect(reader.push(malformed.subarray(40)).outcome).toBe("rejected");
    expect(reader.bytesHeld).toBe(0);
  });

  test("what the caller does to a chunk after push does not reach a hello in pieces", () => {
    const bytes = hello({ sessionId: filler(32), extensions: [serverName("a.test")] });
    const reader = new HelloReader(helloBytesMax);
    const head = bytes.slice(0, 70);
    reader.push(head);
    head.fill(0xff);
    const outcome = reader.push(bytes.slice(70));
    expect(outcome.outcome === "complete" && [...outcome.hello.sessionId]).toStrictEqual([...filler(32)]);
  });
});

test("an empty chunk changes nothing", () => {
  const bytes = hello();
  const reader = new HelloReader(helloBytesMax);
  for (const byte of bytes) {
    expect(reader.push(new Uint8Array(0)).outcome).toBe("incomplete");
    reader.push(Uint8Array.of(byte));
  }
  expect(reader.push(new Uint8Array(0)).outcome).toBe("complete");
});
