import { describe, expect, it } from "vitest";
import type { Learnt } from "../../model/learnt.ts";
import { PendingLearnt } from "./pending-learnt.ts";

const clock = { ms: 0 };

function anId(id: string, ageMs = 0): Learnt {
  return { ticketNames: [], sessionIds: [{ server: "farms/f/servers/s", id: Buffer.from(id), ageMs }] };
}

function aName(name: string, dropped: boolean): Learnt {
  return { ticketNames: [{ server: "farms/f/servers/s", name: Buffer.from(name), ageMs: 0, dropped }], sessionIds: [] };
}

function ids(learnt: Learnt | undefined): string[] | undefined {
  return learnt?.sessionIds.map(({ id }) => Buffer.from(id).toString());
}

describe("what waits to be told", () => {
  it("goes out in its order, so many at a time, and once", () => {
    const pending = new PendingLearnt(() => clock.ms);
    for (const id of ["a", "b", "c"]) pending.add(anId(id));
    expect([ids(pending.take(2)), ids(pending.take(2)), pending.take(2)]).toEqual([["a", "b"], ["c"], undefined]);
  });

  it("is bounded: the oldest is dropped, and counted", () => {
    const pending = new PendingLearnt(() => clock.ms, 2);
    for (const id of ["a", "b", "c"]) pending.add(anId(id));
    expect([pending.dropped, pending.size, ids(pending.take(9))]).toEqual([1, 2, ["b", "c"]]);
  });

  it("is replaced by a newer word on the same, which takes no room of its own", () => {
    const pending = new PendingLearnt(() => clock.ms, 2);
    for (const dropped of [false, false, true]) pending.add(aName("name", dropped));
    expect([pending.dropped, pending.take(9)?.ticketNames.map(({ dropped }) => dropped)]).toEqual([0, [true]]);
  });

  it("grows older while it waits", () => {
    const pending = new PendingLearnt(() => clock.ms);
    pending.add(anId("a", 5));
    clock.ms += 1000;
    expect(pending.take(1)?.sessionIds[0]?.ageMs).toBe(1005);
  });
});
