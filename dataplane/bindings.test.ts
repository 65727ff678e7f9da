import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Change } from "../model/configuration.ts";
import type { Listener } from "../model/resource.ts";
import { written } from "../test/support/arbitrary-resource.ts";
import { Bindings } from "./bindings.ts";
import type { BindFailure, Engine, ListenerSettings } from "./engine/engine.ts";

/** Binds what no other listener, and nothing outside, has. */
class SocketlessEngine {
  readonly calls: string[] = [];
  readonly takenOutside = new Set<string>();
  readonly #bound = new Map<string, string>();
  /** Holds up each call until it is released. */
  gate: Promise<void> = Promise.resolve();

  get bound(): string[] {
    return [...this.#bound].map(([address, listener]) => `${listener} ${address}`).sort();
  }

  async setListener({ name, addresses }: ListenerSettings): Promise<readonly BindFailure[]> {
    this.calls.push(`set ${name}`);
    await this.gate;
    const failures: BindFailure[] = [];
    for (const address of addresses) {
      const holder = this.#bound.get(address);
      if (this.takenOutside.has(address) || (holder !== undefined && holder !== name))
        failures.push({ address, reason: "address_in_use", detail: "EADDRINUSE" });
      else this.#bound.set(address, name);
    }
    for (const [address, holder] of this.#bound)
      if (holder === name && !addresses.some((each) => each === address)) this.#bound.delete(address);
    return failures;
  }

  async removeListener(name: string): Promise<void> {
    this.calls.push(`remove ${name}`);
    await this.gate;
    for (const [address, holder] of this.#bound) if (holder === name) this.#bound.delete(address);
  }
}

function listener(id: string, ...ports: readonly number[]): Listener {
  const addresses = ports.map((port) => `127.0.0.1:${port}`);
  return written({ listener: { name: `listeners/${id}`, addresses } }) as Listener;
}

const put = (after: Listener, before: Listener | null = null): Change => ({ before, after });
const gone = (before: Listener): Change => ({ before, after: null });

/** By then an address that was not there has been tried again, however often before. */
const retryMs = 10_000;
let engine: SocketlessEngine;
let bindings: Bindings;
let changes: number;

beforeEach(() => {
  vi.useFakeTimers();
  engine = new SocketlessEngine();
  changes = 0;
  bindings = new Bindings(engine as unknown as Engine, () => {
    changes += 1;
  });
});

afterEach(() => {
  bindings.close();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

function unbound(): string[] {
  return bindings.unbound().map(({ listener: name, address, reason }) => `${name} ${address} ${reason}`);
}

describe("the listeners of the engine", () => {
  it("are made, changed and removed as commits say, the gone ones first", async () => {
    const [a, b] = [listener("a", 1), listener("b", 2)];
    await bindings.apply([put(a), put(b)], 7);
    expect(engine.bound).toEqual(["listeners/a 127.0.0.1:1", "listeners/b 127.0.0.1:2"]);
    engine.calls.length = 0;
    await bindings.apply([put(listener("b", 1), b), gone(a)], 7);
    expect(engine.calls).toEqual(["remove listeners/a", "set listeners/b"]);
    expect(engine.bound).toEqual(["listeners/b 127.0.0.1:1"]);
    expect(unbound()).toEqual([]);
    expect(changes).toBe(0);
  });

  it("are left alone by a commit that names none", async () => {
    await bindings.apply([put(listener("a", 1))], 7);
    engine.calls.length = 0;
    await bindings.apply([{ before: null, after: written({ farm: { name: "farms/f" } }) }], 7);
    expect(engine.calls).toEqual([]);
  });

  it("exchange their addresses in one commit", async () => {
    const [a, b] = [listener("a", 1), listener("b", 2)];
    await bindings.apply([put(a), put(b)], 7);
    await bindings.apply([put(listener("a", 2), a), put(listener("b", 1), b)], 7);
    expect(engine.bound).toEqual(["listeners/b 127.0.0.1:1", "listeners/a 127.0.0.1:2"].sort());
    expect(unbound()).toEqual([]);
  });
});

describe("an address that can't be bound", () => {
  it("is listed with its reason; all the others are bound", async () => {
    engine.takenOutside.add("127.0.0.1:1");
    await bindings.apply([put(listener("a", 1, 2)), put(listener("b", 3))], 7);
    expect(unbound()).toEqual(["listeners/a 127.0.0.1:1 address_in_use"]);
    expect(engine.bound).toEqual(["listeners/a 127.0.0.1:2", "listeners/b 127.0.0.1:3"]);
    expect(changes).toBe(1);
  });

  it("is tried again until it is bound, and told of only when the list is another", async () => {
    engine.takenOutside.add("127.0.0.1:1");
    await bindings.apply([put(listener("a", 1))], 7);
    await vi.advanceTimersByTimeAsync(3 * retryMs);
    expect(unbound()).toHaveLength(1);
    expect(changes).toBe(1);
    engine.takenOutside.clear();
    await vi.advanceTimersByTimeAsync(retryMs);
    expect(unbound()).toEqual([]);
    expect(engine.bound).toEqual(["listeners/a 127.0.0.1:1"]);
    expect(changes).toBe(2);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("is tried again in time, however fast commits follow each other", async () => {
    engine.takenOutside.add("127.0.0.1:1");
    await bindings.apply([put(listener("a", 1))], 7);
    engine.takenOutside.clear();
    for (let passed = 0; passed < retryMs; passed += 1000) {
      await bindings.apply([{ before: null, after: written({ farm: { name: "farms/f" } }) }], 7);
      await vi.advanceTimersByTimeAsync(1000);
    }
    expect(unbound()).toEqual([]);
  });

  it("is bound at once when a later commit has another listener let it go", async () => {
    const [a, b] = [listener("a", 1), listener("b", 1)];
    await bindings.apply([put(a), put(b)], 7);
    expect(unbound()).toEqual(["listeners/b 127.0.0.1:1 address_in_use"]);
    await bindings.apply([gone(a)], 7);
    expect(unbound()).toEqual([]);
    expect(engine.bound).toEqual(["listeners/b 127.0.0.1:1"]);
  });

  it("is listed no more once its listener is deleted, even while it is being tried", async () => {
    const a = listener("a", 1);
    engine.takenOutside.add("127.0.0.1:1");
    await bindings.apply([put(a)], 7);
    let release = (): void => undefined;
    engine.gate = new Promise((resolve) => {
      release = resolve;
    });
    await vi.advanceTimersByTimeAsync(retryMs);
    const deleted = bindings.apply([gone(a)], 7);
    release();
    await deleted;
    await vi.advanceTimersByTimeAsync(2 * retryMs);
    expect(unbound()).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("is listed with the revision of the commit that wants it, whatever came since", async () => {
    engine.takenOutside.add("127.0.0.1:1");
    await bindings.apply([put(listener("a", 1))], 7);
    await bindings.apply([put(listener("b", 2))], 8);
    expect(bindings.unbound().map(({ revision }) => revision)).toEqual([7]);
    await bindings.apply([put(listener("a", 1, 3), listener("a", 1))], 9);
    expect(bindings.unbound().map(({ revision }) => revision)).toEqual([9]);
  });

  it("is tried less and less often while it stays so", async () => {
    engine.takenOutside.add("127.0.0.1:1");
    await bindings.apply([put(listener("a", 1))], 7);
    const tries: number[] = [];
    for (let minute = 0; minute < 2; minute += 1) {
      engine.calls.length = 0;
      await vi.advanceTimersByTimeAsync(60_000);
      tries.push(engine.calls.length);
    }
    expect(tries).toEqual([8, 6]);
  });

  it("is not tried again after the end", async () => {
    engine.takenOutside.add("127.0.0.1:1");
    await bindings.apply([put(listener("a", 1))], 7);
    bindings.close();
    engine.calls.length = 0;
    await vi.advanceTimersByTimeAsync(3 * retryMs);
    expect(engine.calls).toEqual([]);
  });
});

describe("a node that drains", () => {
  it("has no listener bound, nor listed as unbound, until it is to take connections again", async () => {
    engine.takenOutside.add("127.0.0.1:9");
    await bindings.apply([put(listener("a", 1)), put(listener("b", 2, 9))], 7);
    await bindings.drain();
    expect([engine.bound, unbound(), bindings.draining]).toEqual([[], [], true]);
    await bindings.apply([gone(listener("a", 1)), put(listener("c", 3))], 8);
    await vi.advanceTimersByTimeAsync(retryMs);
    expect([engine.bound, vi.getTimerCount()]).toEqual([[], 0]);
    await bindings.undrain();
    expect(engine.bound).toEqual(["listeners/b 127.0.0.1:2", "listeners/c 127.0.0.1:3"]);
    expect([unbound(), bindings.draining]).toEqual([["listeners/b 127.0.0.1:9 address_in_use"], false]);
    engine.takenOutside.clear();
    await vi.advanceTimersByTimeAsync(retryMs);
    expect(unbound()).toEqual([]);
  });

  it("ends without a listener when it is told to amid a bind", async () => {
    let release = (): void => undefined;
    engine.gate = new Promise((resolve) => {
      release = resolve;
    });
    engine.takenOutside.add("127.0.0.1:1");
    const applied = bindings.apply([put(listener("a", 1))], 7);
    const drained = bindings.drain();
    release();
    await Promise.all([applied, drained]);
    expect([engine.calls, unbound()]).toEqual([["set listeners/a", "remove listeners/a"], []]);
  });
});
