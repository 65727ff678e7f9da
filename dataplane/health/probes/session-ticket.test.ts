import { describe, expect, it } from "vitest";
import { runSeed, seededRandom } from "../../../test/support/seeded-random.ts";
import { ticketHead, ticketHeadBytes } from "./session-ticket.ts";

/** One element of DER, its length in the shortest form. */
function element(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  const { length } = body;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), body]);
  if (length < 0x100) return Buffer.concat([Buffer.from([tag, 0x81, length]), body]);
  return Buffer.concat([Buffer.from([tag, 0x82, length >> 8, length & 0xff]), body]);
}

const ticket = Buffer.from(Array.from({ length: 200 }, (_, index) => index));
const before = [element(0x02, Buffer.of(1)), element(0xa3, element(0x30, Buffer.alloc(700, 4)))];

function session(...fields: readonly Uint8Array[]): Buffer {
  return element(0x30, ...before, ...fields);
}

describe("the head of a ticket", () => {
  it.each<[string, Uint8Array, Uint8Array | null]>([
    ["is its first bytes", session(element(0xaa, element(0x04, ticket))), ticket.subarray(0, ticketHeadBytes)],
    ["is all of a short one", session(element(0xaa, element(0x04, Buffer.of(1, 2)))), Buffer.of(1, 2)],
    ["is found before later fields", session(element(0xaa, element(0x04, Buffer.of(9))), element(0xac)), Buffer.of(9)],
    ["is not there without a ticket", session(element(0xa9, element(0x02, Buffer.of(3)))), null],
    ["is not there in an empty ticket", session(element(0xaa, element(0x04))), null],
    ["is no other type", session(element(0xaa, element(0x02, ticket))), null],
    ["is not there in nothing", new Uint8Array(0), null],
    ["is not there in another element", element(0x31, element(0xaa, element(0x04, ticket))), null],
    ["is not read where a length is indefinite", Buffer.of(0x30, 0x80, 0xaa, 0x03, 0x04, 0x01, 0x01, 0, 0), null],
    ["is not read beyond its field", Buffer.of(0x30, 0x05, 0xaa, 0x02, 0x04, 0x7f, 0x01), null],
  ])("%s", (_, der, head) => {
    expect(ticketHead(der)).toEqual(head === null ? null : new Uint8Array(head));
  });

  it("is its own copy", () => {
    const der = session(element(0xaa, element(0x04, ticket)));
    const head = ticketHead(der);
    der.fill(0xff);
    expect(head).toEqual(new Uint8Array(ticket.subarray(0, ticketHeadBytes)));
  });

  it("is read of any bytes without an error, and is never longer than it may be", () => {
    const random = seededRandom(runSeed());
    const whole = session(element(0xaa, element(0x04, ticket)), element(0xac));
    for (let round = 0; round < 20_000; round += 1) {
      const bytes = Buffer.from(whole.subarray(0, Math.floor(random() * (whole.length + 1))));
      for (let change = 0; change < 3 && bytes.length > 0; change += 1)
        bytes[Math.floor(random() * Math.min(bytes.length, random() < 0.5 ? 12 : 1000))] = Math.floor(random() * 256);
      expect(ticketHead(bytes)?.length ?? 0).toBeLessThanOrEqual(ticketHeadBytes);
    }
  });
});
