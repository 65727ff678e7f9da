import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Learnt as WireLearnt } from "../../proto/gen/switchyard/fleet/v1/learnt.ts";
import { type Learnt, learntEntriesMax } from "../learnt.ts";
import type { ServerResourceName } from "../resource-name.ts";
import { decodeLearnt, decodeLearntQuestion, encodeLearnt, encodeLearntQuestion, learntBytesMax } from "./learnt.ts";

const server = fc.integer({ min: 0, max: 5 }).map((place): ServerResourceName => `farms/f/servers/s${place}`);
const ageMs = fc.integer({ min: 0, max: 366 * 86_400_000 });
const learnt: fc.Arbitrary<Learnt> = fc.record({
  ticketNames: fc.array(
    fc.record({ server, name: fc.uint8Array({ minLength: 4, maxLength: 32 }), ageMs, dropped: fc.boolean() }),
  ),
  sessionIds: fc.array(fc.record({ server, id: fc.uint8Array({ minLength: 1, maxLength: 32 }), ageMs })),
});

describe("what was learnt", () => {
  it("is the same after its way over the wire", () => {
    fc.assert(
      fc.property(learnt, (each) => {
        expect(decodeLearnt(encodeLearnt(each, "n1"))).toEqual(each);
      }),
    );
  });

  it("is refused with a sentence or taken, whatever the bytes are", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), learnt, fc.nat(), (noise, each, at) => {
        const bytes = encodeLearnt(each);
        if (bytes.length > 0) bytes.set(noise.subarray(0, bytes.length - (at % bytes.length)), at % bytes.length);
        for (const received of [noise, bytes]) expect(["string", "object"]).toContain(typeof decodeLearnt(received));
      }),
    );
  });

  it("fits into a message, as many as may be, however long the names", () => {
    const of = (index: number): ServerResourceName =>
      `farms/f${"x".repeat(62)}/servers/s${String(index).padStart(62, "0")}`;
    const name = new Uint8Array(32).fill(255);
    const ticketNames = Array.from({ length: learntEntriesMax }, (_, index) => {
      return { server: of(index), name, ageMs: 366 * 86_400_000, dropped: true };
    });
    expect(encodeLearnt({ ticketNames, sessionIds: [] }, "n".repeat(128)).length).toBeLessThan(learntBytesMax);
    const one = ticketNames.slice(0, 1);
    expect(() => encodeLearnt({ ticketNames: [...ticketNames, ...one], sessionIds: [] })).toThrow(RangeError);
  });

  const name = new Uint8Array(16);
  it.each<[string, Parameters<typeof WireLearnt.fromPartial>[0], RegExp]>([
    ["a name of 3 bytes", { ticketNames: [{ name: new Uint8Array(3) }] }, /has 3 bytes, not 4 to 32/],
    ["a name of 33 bytes", { ticketNames: [{ name: new Uint8Array(33) }] }, /has 33 bytes/],
    ["an empty id", { sessionIds: [{ id: new Uint8Array(0) }] }, /session's id: it has 0 bytes/],
    ["an id of 33 bytes", { sessionIds: [{ id: new Uint8Array(33) }] }, /has 33 bytes/],
    ["a place that is none", { ticketNames: [{ name, server: 1 }] }, /no server 1 of 1/],
    ["an age of centuries", { ticketNames: [{ name, ageMs: 1n << 62n }] }, /age/],
    ["a server that is none", { servers: ["farms/f"], ticketNames: [{ name }] }, /"farms\/f" is no server's name/],
    ["more servers than entries", {}, /1 servers for 0 entries/],
    ["a long asker", { to: "x".repeat(257), ticketNames: [{ name }] }, /`to`/],
  ])("with %s is refused as a whole", (_what, partial, why) => {
    const wire = WireLearnt.fromPartial({ servers: ["farms/f/servers/s"], ...partial });
    expect(decodeLearnt(WireLearnt.encode(wire).finish())).toMatch(why);
  });

  it("keeps nothing of the message's memory", () => {
    const bytes = encodeLearnt({
      ticketNames: [{ server: "farms/f/servers/s", name, ageMs: 0, dropped: false }],
      sessionIds: [],
    });
    const taken = decodeLearnt(bytes) as Learnt;
    expect(taken.ticketNames[0]?.name.buffer.byteLength).toBe(16);
  });
});

describe("a question", () => {
  it.each([
    ["names who asks", encodeLearntQuestion("n1"), "n1"],
    ["of nobody is none", encodeLearntQuestion(""), undefined],
    ["that is too long is none", encodeLearntQuestion("x".repeat(2000)), undefined],
    ["that is no protobuf is none", new Uint8Array([255, 255, 255]), undefined],
  ])("%s", (_what, bytes, expected) => {
    expect(decodeLearntQuestion(bytes)).toBe(expected);
  });
});
