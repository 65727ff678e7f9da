import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { affinityDefaults } from "../../model/farm-policy.ts";
import type { ServerResourceName } from "../../model/resource-name.ts";
import { runSeed } from "../../test/support/seeded-random.ts";
import { SessionIds } from "./session-ids.ts";

const server = (index: number): ServerResourceName => `farms/f/servers/s${index}`;
const [a, b] = [server(0), server(1)];

/** 32 bytes that say a number. */
function idOf(number: number): Uint8Array {
  const id = new Uint8Array(32).fill(7);
  new DataView(id.buffer).setUint32(0, number);
  return id;
}

function filled(count: number, entriesMax = count): SessionIds {
  const ids = new SessionIds(entriesMax, 1e9);
  for (let number = 0; number < count; number += 1) ids.learn(idOf(number), a, number);
  return ids;
}

describe("an id is known by all of its bytes, and by their number", () => {
  it.each([1, 2, 31, 32])("of %i bytes", (length) => {
    const ids = new SessionIds(10, 1000);
    const id = new Uint8Array(length).fill(5);
    expect(ids.learn(id, a, 0)).toBe(true);
    expect(ids.server(id, 1)).toBe(a);
    expect(ids.server(new Uint8Array(length - 1).fill(5), 1)).toBeNull();
    expect(ids.server(new Uint8Array(length + 1).fill(5), 1)).toBeNull();
    for (let at = 0; at < length; at += 1) expect(ids.server(id.with(at, 6), 1)).toBeNull();
  });

  it.each([0, 33])("and is none of %i bytes", (length) => {
    const ids = new SessionIds(10, 1000);
    expect(ids.learn(new Uint8Array(length), a, 0)).toBe(false);
    expect(ids.count).toBe(0);
    expect(ids.server(new Uint8Array(length), 1)).toBeNull();
  });
});

describe("ids go", () => {
  it("when their time is over, to the millisecond", () => {
    const ids = new SessionIds(10, 1000);
    ids.learn(idOf(1), a, 50);
    expect(ids.server(idOf(1), 1049)).toBe(a);
    expect(ids.server(idOf(1), 1050)).toBeNull();
    ids.expire(1050);
    expect(ids.count).toBe(0);
  });

  it("the oldest first, when there are too many", () => {
    const ids = filled(150, 100);
    expect(ids.count).toBe(100);
    for (let number = 0; number < 150; number += 1) {
      expect(ids.server(idOf(number), 200)).toBe(number < 50 ? null : a);
    }
  });

  it("with their server, and leave the others", () => {
    const ids = new SessionIds(100, 1000);
    for (let number = 0; number < 100; number += 1) ids.learn(idOf(number), server(number % 3), 0);
    ids.forget(a);
    expect(ids.count).toBe(66);
    for (let number = 0; number < 100; number += 1) {
      expect(ids.server(idOf(number), 1)).toBe(number % 3 === 0 ? null : server(number % 3));
    }
    ids.learn(idOf(500), server(9), 0);
    expect(ids.server(idOf(500), 1)).toBe(server(9));
    expect(ids.server(idOf(0), 1)).toBeNull();
  });

  it("but the newest stay, when there may be fewer", () => {
    const ids = filled(1000);
    ids.setLimits(10, 1e9);
    expect([...ids.newest(1000)].map(({ ageMs }) => ageMs)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    for (let number = 0; number < 1000; number += 1)
      expect(ids.server(idOf(number), 1000)).toBe(number < 990 ? null : a);
    ids.setLimits(1000, 1e9);
    for (let number = 2000; number < 3000; number += 1) ids.learn(idOf(number), b, 2000);
    expect(ids.count).toBe(1000);
  });
});

describe(`a table does what a list does (seed ${runSeed()})`, () => {
  type Step =
    | { readonly do: "learn"; readonly id: number; readonly server: number; readonly count: number }
    | { readonly do: "forget"; readonly server: number }
    | { readonly do: "limit"; readonly entries: number }
    | { readonly do: "wait"; readonly ms: number };
  const count = fc.integer({ min: 1, max: 80 });
  const plain: readonly fc.Arbitrary<Step>[] = [
    fc.record({ do: fc.constant("learn"), id: fc.nat(300), server: fc.nat(3), count }),
    fc.record({ do: fc.constant("limit"), entries: fc.integer({ min: 1, max: 200 }) }),
    fc.record({ do: fc.constant("wait"), ms: fc.nat(400) }),
  ];
  const forget: fc.Arbitrary<Step> = fc.record({ do: fc.constant("forget"), server: fc.nat(3) });

  /** Entries in the order in which they came. */
  class List {
    entries: { readonly id: number; server: ServerResourceName; sinceMs: number }[] = [];
    entriesMax = 1;
    nowMs = 0;

    take(step: Step, ids: SessionIds): void {
      if (step.do === "wait") this.nowMs += step.ms;
      if (step.do === "forget") {
        ids.forget(server(step.server));
        this.entries = this.entries.filter((each) => each.server !== server(step.server));
      }
      if (step.do === "limit") {
        this.entriesMax = step.entries;
        ids.setLimits(step.entries, 1000);
      }
      for (let at = 0; step.do === "learn" && at < step.count; at += 1) {
        ids.learn(idOf(step.id + at), server(step.server), this.nowMs);
        this.#learn(step.id + at, server(step.server));
      }
      ids.expire(this.nowMs);
      this.entries = this.entries.slice(-this.entriesMax).filter(({ sinceMs }) => this.nowMs - sinceMs < 1000);
    }

    #learn(id: number, of: ServerResourceName): void {
      const known = this.entries.find((each) => each.id === id);
      if (known !== undefined) Object.assign(known, { server: of, sinceMs: this.nowMs });
      else this.entries.push({ id, server: of, sinceMs: this.nowMs });
      if (this.entries.length > this.entriesMax) this.entries.shift();
    }
  }

  /** What each id's server is, as the table says. */
  function found(ids: SessionIds, nowMs: number): ReadonlyMap<number, ServerResourceName> {
    const all = Array.from({ length: 400 }, (_, id) => [id, ids.server(idOf(id), nowMs)] as const);
    return new Map(all.filter((each): each is readonly [number, ServerResourceName] => each[1] !== null));
  }

  it("whatever comes, at its limits too", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(...plain), { maxLength: 30 }), (steps) => {
        const ids = new SessionIds(1, 1000);
        const list = new List();
        for (const step of steps) {
          list.take(step, ids);
          expect(found(ids, list.nowMs)).toEqual(new Map(list.entries.map(({ id, server: of }) => [id, of])));
        }
      }),
      { seed: runSeed(), numRuns: 30 },
    );
  });

  it("and never names a server that was forgotten, or was not the last to give the id", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(...plain, forget, forget), { maxLength: 30 }), (steps) => {
        const ids = new SessionIds(1, 1000);
        const list = new List();
        const last = new Map<number, ServerResourceName>();
        for (const step of steps) {
          list.take(step, ids);
          for (let at = 0; step.do === "learn" && at < step.count; at += 1) last.set(step.id + at, server(step.server));
          for (const [id, of] of last) if (step.do === "forget" && of === server(step.server)) last.delete(id);
          for (const [id, of] of found(ids, list.nowMs)) expect(of).toBe(last.get(id));
          expect(ids.count).toBeLessThanOrEqual(list.entriesMax);
        }
      }),
      { seed: runSeed(), numRuns: 30 },
    );
  });
});

describe("memory", () => {
  it.each([{ entries: affinityDefaults.sessionIdsMax }, { entries: 33_000 }, { entries: 65_537 }])(
    "is at most 100 bytes an entry, of $entries",
    ({ entries }) => {
      expect(filled(entries).bytesUsed / entries).toBeLessThanOrEqual(100);
    },
  );

  it("is little where little is known", () => {
    expect(new SessionIds(1_000_000, 1000).bytesUsed).toBeLessThan(8192);
  });

  it("does not grow while entries come and go", () => {
    const ids = filled(1000);
    const before = ids.bytesUsed;
    for (let number = 1000; number < 20_000; number += 1) ids.learn(idOf(number), a, number);
    expect(ids.bytesUsed).toBe(before);
  });
});
