import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NameIndex } from "./name-index.ts";

// The run's seed, which the test runner prints.
fc.configureGlobal({ seed: Number(process.env["SWITCHYARD_TEST_SEED"] ?? 1) });

interface Value {
  readonly id: number;
}

/** An index and a map side by side; names' hashes are chosen by the test, so that collisions are at its command. */
class Pair {
  readonly index: NameIndex<Value>;
  readonly map: Map<string, { readonly hash: number; readonly value: Value }>;

  constructor(index = new NameIndex<Value>(0, 0), map: Pair["map"] = new Map()) {
    this.index = index;
    this.map = map;
  }

  put(name: string, hash: number, value: Value): void {
    const bytes = new TextEncoder().encode(name);
    const present = this.index.add(bytes, 0, bytes.length, hash, value);
    expect(present).toBe(this.map.get(name)?.value);
    if (present !== undefined) expect(this.index.replace(bytes, 0, bytes.length, hash, value)).toBe(true);
    this.map.set(name, { hash, value });
  }

  take(name: string, hash: number): void {
    const bytes = new TextEncoder().encode(name);
    expect(this.index.delete(bytes, 0, bytes.length, hash)).toBe(this.map.delete(name));
  }

  fork(): Pair {
    return new Pair(this.index.fork(), new Map(this.map));
  }

  /** Every name is found by its hash, and is not by another's name. */
  check(): void {
    expect(this.index.count).toBe(this.map.size);
    for (const [name, { hash, value }] of this.map) {
      const bytes = new TextEncoder().encode(`${name}~`);
      if (this.index.find(bytes, 0, name.length, hash) !== value) expect.fail(`${name} is not found`);
      if (this.index.find(bytes, 0, bytes.length, hash) !== undefined) expect.fail(`${name}~ is found`);
    }
  }
}

describe("an index holds what was put in", () => {
  it("for names that all have one hash, and are parts of each other", () => {
    const pair = new Pair();
    const names = Array.from({ length: 250 }, (_, index) => "a".repeat(index + 1));
    for (const [id, name] of names.entries()) pair.put(name, 0x1234, { id });
    pair.check();
    for (const name of names.filter((_, index) => index % 2 === 0)) pair.take(name, 0x1234);
    pair.check();
  });

  it("past the depth that a directory may have", () => {
    const pair = new Pair();
    // All of them agree in the low 20 bits: no split can part them.
    for (let id = 0; id < 3000; id += 1) pair.put(`n${id}`, (id << 20) | 0xabcde, { id });
    for (let id = 0; id < 3000; id += 1) pair.put(`m${id}`, Math.imul(id, 0x9e3779b1), { id });
    pair.check();
    for (let id = 0; id < 3000; id += 1) pair.take(`n${id}`, (id << 20) | 0xabcde);
    pair.check();
  });

  it("when a segment empties whose sibling is split deeper", () => {
    const pair = new Pair();
    const spread = (id: number): number => Math.imul(id, 0x9e3779b1) & ~7;
    // Hashes that end with 1 are so many that they are split by the next bit; those that end with 0 are not.
    for (let id = 0; id < 350; id += 1) pair.put(`zero${id}`, spread(id), { id });
    for (let id = 0; id < 300; id += 1) pair.put(`one${id}`, spread(id) | 1, { id });
    for (let id = 0; id < 300; id += 1) pair.put(`three${id}`, spread(id) | 3, { id });
    for (let id = 10; id < 300; id += 1) pair.take(`one${id}`, spread(id) | 1);
    for (let id = 0; id < 345; id += 1) {
      pair.take(`zero${id}`, spread(id));
      if (id % 50 === 0) pair.check();
    }
    pair.check();
  });

  it("for any hashes, after any changes, in forks too", () => {
    // Few bits, in various places: long probes, deep splits on one side, segments that are joined again.
    const bits = fc.constantFrom(0x0000_000f, 0x7f00_000f, 0x0000_7fff, 0x7fff_0001, 0x7c00_03ff);
    const step = fc.record({ first: fc.nat(1500), count: fc.nat(700), put: fc.boolean(), fork: fc.nat(3) });
    fc.assert(
      fc.property(bits, fc.integer(), fc.array(step, { minLength: 2, maxLength: 8 }), (mask, salt, steps) => {
        const hashOf = (id: number): number => Math.imul(id + salt, 0x85ebca6b) & mask;
        let pair = new Pair();
        const left: Pair[] = [];
        for (const { first, count, put, fork } of steps) {
          if (fork === 0) {
            left.push(pair);
            pair = pair.fork();
          }
          for (let id = first; id < first + count; id += 1)
            if (put) pair.put(`name-${id}`, hashOf(id), { id });
            else pair.take(`name-${id}`, hashOf(id));
        }
        for (const each of [pair, ...left]) each.check();
      }),
      { numRuns: 20 },
    );
  });
});

describe("memory of an index", () => {
  function filled(count: number): Pair {
    const pair = new Pair();
    for (let id = 0; id < count; id += 1) pair.put(`name-${id}.example.test`, Math.imul(id, 0x9e3779b1), { id });
    return pair;
  }

  it("is given back as names go", () => {
    const pair = filled(5000);
    const full = pair.index.bytesUsed;
    for (let id = 10; id < 5000; id += 1) pair.take(`name-${id}.example.test`, Math.imul(id, 0x9e3779b1));
    pair.check();
    expect(pair.index.bytesUsed).toBeLessThan(full / 10);
  });

  it("stays as it is while one name comes and goes", () => {
    const pair = filled(1000);
    const before = pair.index.bytesUsed;
    for (let round = 0; round < 5000; round += 1) {
      pair.put("guest.example.test", 77, { id: round });
      pair.take("guest.example.test", 77);
    }
    expect(pair.index.bytesUsed).toBeLessThan(before * 1.2);
  });
});
