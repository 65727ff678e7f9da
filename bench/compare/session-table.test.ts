import { describe, expect, test } from "vitest";
import { SessionTable } from "./session-table.ts";

function serverHello(sessionId: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(44 + sessionId.length);
  bytes[0] = 22;
  bytes[5] = 2;
  bytes[43] = sessionId.length;
  bytes.set(sessionId, 44);
  return bytes;
}

const id = Uint8Array.from({ length: 32 }, (_, index) => index);

describe("the session table", () => {
  test("finds the server that was learnt", () => {
    const table = new SessionTable<string>();
    table.learn(serverHello(id), "a");
    expect(table.find(id)).toBe("a");
  });

  test.each([
    { of: "no session id", bytes: serverHello(new Uint8Array(0)) },
    { of: "a session id that is cut", bytes: serverHello(id).subarray(0, 60) },
    { of: "an alert", bytes: serverHello(id).with(0, 21) },
    { of: "another message", bytes: serverHello(id).with(5, 11) },
    { of: "a length that no id has", bytes: serverHello(id).with(43, 33) },
    { of: "nothing", bytes: new Uint8Array(0) },
  ])("learns nothing from $of", ({ bytes }) => {
    const table = new SessionTable<string>();
    table.learn(bytes, "a");
    expect(table.size).toBe(0);
  });

  test("never outgrows its limit, and drops what it learnt first", () => {
    const table = new SessionTable<number>();
    for (let number = 0; number <= 30_000; number += 1) {
      const own = id.slice();
      new DataView(own.buffer).setUint32(0, number);
      table.learn(serverHello(own), number);
    }
    expect(table.size).toBe(30_000);
    const first = id.slice();
    new DataView(first.buffer).setUint32(0, 0);
    expect(table.find(first)).toBeUndefined();
  });
});
