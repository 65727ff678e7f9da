import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { runSeed } from "../../test/support/seeded-random.ts";
import { ConnectionQueue } from "./connection-queue.ts";

function queueOf(...entries: readonly (readonly [id: number, deadlineMs: number])[]): ConnectionQueue {
  const queue = new ConnectionQueue();
  for (const [id, deadlineMs] of entries) queue.push(id, deadlineMs);
  return queue;
}

describe("connections that wait", () => {
  it("are served in the order in which they came", () => {
    const queue = queueOf([7, 100], [3, 100], [5, 100]);
    expect([queue.first, queue.shift(0), queue.shift(0), queue.shift(0), queue.shift(0)]).toEqual([
      7,
      7,
      3,
      5,
      undefined,
    ]);
    expect(queue.length).toBe(0);
  });

  it("are not served once their time is over, which they are told of in turn", () => {
    const queue = queueOf([1, 10], [2, 30], [3, 20]);
    expect(queue.shift(20)).toBe(2);
    expect(queue.expired(20)).toEqual([1, 3]);
    expect(queue.length).toBe(0);
  });

  it("keep their place when they are pushed again", () => {
    const queue = queueOf([1, 10], [2, 10]);
    expect(queue.push(1, 99)).toBe(false);
    expect([queue.first, queue.nextDeadlineMs, queue.length]).toEqual([1, 10, 2]);
  });

  it("may go away from any place", () => {
    for (const gone of [1, 2, 3]) {
      const queue = queueOf([1, 10], [2, 10], [3, 10]);
      expect([queue.remove(gone), queue.remove(gone)]).toEqual([true, false]);
      expect([queue.shift(0), queue.shift(0)]).toEqual([1, 2, 3].filter((id) => id !== gone));
      expect(queue.first).toBeUndefined();
    }
  });

  it("give up when their own time is over, though a farm's timeout was shortened meanwhile", () => {
    const queue = queueOf([1, 60_000], [2, 5000], [3, 5100]);
    expect(queue.nextDeadlineMs).toBe(5000);
    expect(queue.expired(5000)).toEqual([2]);
    expect(queue.nextDeadlineMs).toBe(5100);
    expect(queue.expired(5100)).toEqual([3]);
    expect(queue.nextDeadlineMs).toBe(60_000);
  });

  it("that are none have no deadline", () => {
    expect(queueOf().nextDeadlineMs).toBe(Number.POSITIVE_INFINITY);
    expect(queueOf().expired(1e12)).toEqual([]);
  });

  it("are those that a plain list has, whatever happens", () => {
    const id = fc.nat(9);
    const time = fc.nat(50);
    const step = fc.oneof(
      fc.record({ what: fc.constant("push" as const), id, time }),
      fc.record({ what: fc.constant("remove" as const), id, time }),
      fc.record({ what: fc.constantFrom("shift" as const, "expired" as const), id, time }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const queue = new ConnectionQueue();
        let list: { id: number; deadline: number }[] = [];
        const without = (...ids: (number | undefined)[]): typeof list => list.filter((each) => !ids.includes(each.id));
        for (const each of steps) {
          const has = list.some((waiting) => waiting.id === each.id);
          if (each.what === "push") {
            expect(queue.push(each.id, each.time)).toBe(!has);
            if (!has) list.push({ id: each.id, deadline: each.time });
          } else if (each.what === "remove") {
            expect(queue.remove(each.id)).toBe(has);
            list = without(each.id);
          } else if (each.what === "shift") {
            const next = list.find(({ deadline }) => deadline > each.time)?.id;
            expect(queue.shift(each.time)).toBe(next);
            list = without(next);
          } else {
            const over = list.filter(({ deadline }) => deadline <= each.time).map((waiting) => waiting.id);
            expect(queue.expired(each.time)).toEqual(over);
            list = without(...over);
          }
          expect(queue.length).toBe(list.length);
          expect(queue.first).toBe(list[0]?.id);
          expect(queue.nextDeadlineMs).toBe(Math.min(...list.map(({ deadline }) => deadline)));
        }
      }),
      { seed: runSeed(), numRuns: 300 },
    );
  });
});
