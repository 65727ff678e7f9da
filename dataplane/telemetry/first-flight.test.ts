import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { FirstFlight } from "./first-flight.ts";

/** A ServerHello's record with this random, and more behind it. */
function hello(random: Uint8Array): Uint8Array {
  return Uint8Array.from([22, 3, 3, 0, 86, 2, 0, 0, 82, 3, 3, ...random, ...new Uint8Array(40)]);
}

const plain = hello(new Uint8Array(32).fill(7));
const retry = hello(createHash("sha256").update("HelloRetryRequest").digest());
const nearlyRetry = retry.map((byte, at) => (at === 42 ? byte ^ 1 : byte));

const flights: readonly (readonly [what: string, bytes: Uint8Array, answer: string])[] = [
  ["a ServerHello", plain, "server_hello"],
  ["a HelloRetryRequest", retry, "hello_retry"],
  ["a ServerHello whose random is nearly that of a HelloRetryRequest", nearlyRetry, "server_hello"],
  ["an alert", Uint8Array.of(21, 3, 3, 0, 2, 2, 40), "alert"],
  ["another handshake message", plain.map((byte, at) => (at === 5 ? 11 : byte)), "other"],
  ["half of a ServerHello", plain.subarray(0, 42), "other"],
  ["plain text", new TextEncoder().encode("220 mail.test ESMTP"), "other"],
  ["nothing", new Uint8Array(0), "nothing"],
];

describe("what a server says first", () => {
  it.each(flights)("is known for %s, however it is cut", (_what, bytes, answer) => {
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const flight = new FirstFlight();
      flight.add(bytes.slice(0, cut));
      flight.add(bytes.slice(cut));
      expect(flight.answer, `cut at ${cut}`).toBe(answer);
    }
    const flight = new FirstFlight();
    const one = new Uint8Array(1);
    for (const byte of bytes) {
      one[0] = byte;
      flight.add(one);
    }
    expect(flight.answer).toBe(answer);
  });

  it("stays what it was, whatever comes behind it", () => {
    const flight = new FirstFlight();
    flight.add(retry.subarray(0, 43));
    flight.add(plain);
    expect(flight.answer).toBe("hello_retry");
  });
});
