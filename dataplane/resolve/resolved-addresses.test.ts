import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { parseServerAddress, type SocketAddress } from "../../model/address.ts";
import type { Server } from "../../model/resource.ts";
import { NamedWorld } from "../../test/resolve/named-world.ts";

function server(id: string, address: string, checkAddress: string | null = null): Server {
  return {
    kind: "server",
    name: `farms/f/servers/${id}`,
    address: parseServerAddress(address) as Server["address"],
    weight: 1,
    region: "",
    backup: false,
    state: "ready",
    connectionsMax: 0,
    checkAddress: checkAddress === null ? null : (parseServerAddress(checkAddress) as Server["address"]),
  };
}

let world: NamedWorld;

beforeEach(() => {
  vi.useFakeTimers();
  world = new NamedWorld();
});

afterEach(async () => {
  world.addresses.close();
  await vi.advanceTimersByTimeAsync(10);
  expect([vi.getTimerCount(), world.inFlight]).toEqual([0, 0]);
  vi.useRealTimers();
});

/** Enough for what was asked to be answered. */
const soon = (): Promise<unknown> => vi.advanceTimersByTimeAsync(5);

function nexts(of: Server, count: number): (SocketAddress | undefined)[] {
  return Array.from({ length: count }, () => world.addresses.next(of));
}

describe("a server at an IP address", () => {
  it("is there, and nobody is asked", async () => {
    for (const address of ["127.0.0.1:80", "[::1]:443"]) {
      const one = server("one", address);
      expect(world.addresses.next(one)).toBe(address);
      world.put(one);
      await soon();
      expect([world.addresses.next(one), world.addresses.isReachable(one.name)]).toEqual([address, true]);
    }
    expect([world.asked, world.told, world.addresses.size]).toEqual([[], [], 0]);
  });
});

describe("a server at a name", () => {
  it("has no address until the name is resolved, and then those of the name in turn, sorted", async () => {
    const one = server("one", "app.test:8443");
    expect(world.addresses.next(one)).toBe(undefined);
    world.say("app.test", 5000, "10.0.0.2", "10.0.0.1", "2001:db8::1");
    world.put(one);
    expect(world.addresses.next(one)).toBe(undefined);
    await soon();
    expect(nexts(one, 4)).toEqual(["10.0.0.1:8443", "10.0.0.2:8443", "[2001:db8::1]:8443", "10.0.0.1:8443"]);
    expect(world.told).toEqual(["one has none", "one has addresses"]);
  });

  it("is asked for once, also for several servers, which take turns of their own", async () => {
    world.say("app.test", 5000, "10.0.0.1", "10.0.0.2");
    const servers = [server("one", "app.test:1"), server("two", "app.test:2")];
    for (const each of servers) world.put(each);
    await soon();
    expect(world.asked).toEqual(["app.test"]);
    expect(servers.map((each) => world.addresses.next(each))).toEqual(["10.0.0.1:1", "10.0.0.1:2"]);
  });

  it.each([
    ["its time is over", 5000, 4900, 5200],
    ["a second has passed, where it says none", 0, 900, 1100],
    ["an hour has passed, where it says a day", 86_400_000, 3_599_000, 3_600_200],
  ])("is asked for anew when %s", async (_what, ttlMs, beforeMs, afterMs) => {
    world.say("app.test", ttlMs, "10.0.0.1");
    const one = server("one", "app.test:1");
    world.put(one);
    await vi.advanceTimersByTimeAsync(beforeMs);
    expect(world.asked.length).toBe(1);
    world.say("app.test", ttlMs, "10.0.0.7");
    await vi.advanceTimersByTimeAsync(afterMs - beforeMs);
    expect([world.asked.length, world.addresses.next(one)]).toEqual([2, "10.0.0.7:1"]);
    expect(world.told).toEqual(["one has none", "one has addresses", "one has addresses"]);
  });

  it("that stays as it is, in whatever order it is told, is no news", async () => {
    world.say("app.test", 1000, "10.0.0.1", "10.0.0.2");
    world.put(server("one", "app.test:1"));
    await soon();
    world.say("app.test", 1000, "10.0.0.2", "10.0.0.1");
    await vi.advanceTimersByTimeAsync(5000);
    expect([world.asked.length > 3, world.told.length]).toEqual([true, 2]);
  });

  it("keeps its last addresses while the resolver fails, is asked for less and less often, and the fault is told once", async () => {
    world.say("app.test", 1000, "10.0.0.1");
    const one = server("one", "app.test:1");
    world.put(one);
    await soon();
    world.names.set("app.test", "failing");
    await vi.advanceTimersByTimeAsync(120_000);
    expect(world.addresses.next(one)).toBe("10.0.0.1:1");
    // 1, 2, 3 (1 s later), 5, 9, 17, 33 (then each 30 s).
    expect(world.asked.length).toBeLessThan(12);
    expect(world.faults).toEqual(["app.test: no resolver answers"]);
    world.say("app.test", 1000, "10.0.0.2");
    await vi.advanceTimersByTimeAsync(31_000);
    expect(world.addresses.next(one)).toBe("10.0.0.2:1");
  });

  it("is given up when it is told twice that there is none, and not before", async () => {
    world.say("app.test", 5000, "10.0.0.1");
    const one = server("one", "app.test:1");
    world.put(one);
    await soon();
    world.say("app.test", 5000);
    await vi.advanceTimersByTimeAsync(5100);
    expect([world.asked.length, world.addresses.next(one)]).toEqual([2, "10.0.0.1:1"]);
    await vi.advanceTimersByTimeAsync(1100);
    expect([world.asked.length, world.addresses.next(one)]).toEqual([3, undefined]);
    expect(world.told.at(-1)).toBe("one has none");
  });

  it("keeps the addresses of a family that can't be asked for", async () => {
    world.say("app.test", 1000, "10.0.0.1", "2001:db8::1");
    const one = server("one", "app.test:1");
    world.put(one);
    await soon();
    world.names.set("app.test", { addresses: ["10.0.0.2"], ttlMs: 1000, missing: "ipv6" });
    await vi.advanceTimersByTimeAsync(1100);
    expect(nexts(one, 3)).toEqual(["10.0.0.2:1", "[2001:db8::1]:1", "10.0.0.2:1"]);
  });

  it("has at most sixteen addresses", async () => {
    world.say("app.test", 5000, ...Array.from({ length: 40 }, (_, index) => `10.0.0.${index + 10}`));
    const one = server("one", "app.test:1");
    world.put(one);
    await soon();
    expect(new Set(nexts(one, 40)).size).toBe(16);
  });

  it("that nobody has any more is not asked for, and what runs is given up", async () => {
    world.names.set("slow.test", "never");
    world.say("app.test", 1000, "10.0.0.1");
    const [one, two] = [server("one", "app.test:1"), server("two", "slow.test:1")];
    for (const each of [one, two]) world.put(each);
    await soon();
    world.addresses.apply([one, two].map((before) => ({ before, after: null })));
    await vi.advanceTimersByTimeAsync(60_000);
    expect([world.asked.length, world.addresses.size, world.inFlight]).toEqual([2, 0, 0]);
    expect(world.addresses.next(one)).toBe(undefined);
  });

  it.each([
    ["another name", "other.test:1", "10.0.0.9:1", ["has none", "has addresses"]],
    ["another port", "app.test:2", "10.0.0.1:2", ["has addresses"]],
    ["an IP address", "10.1.1.1:5", "10.1.1.1:5", ["has addresses"]],
  ])("moves to %s", async (_what, address, expected, told) => {
    world.say("app.test", 60_000, "10.0.0.1");
    world.say("other.test", 60_000, "10.0.0.9");
    const before = server("one", "app.test:1");
    world.put(before);
    await soon();
    world.told.length = 0;
    const after = server("one", address);
    world.put(after, before);
    await soon();
    expect([world.addresses.next(after), world.addresses.next(before)]).toEqual([expected, undefined]);
    expect(world.told).toEqual(told.map((each) => `one ${each}`));
  });

  it("is told apart from where it is checked", async () => {
    world.say("app.test", 60_000, "10.0.0.1");
    world.say("check.test", 60_000, "10.0.0.5");
    const one = server("one", "app.test:1", "check.test:9");
    world.put(one);
    await soon();
    expect(world.addresses.next({ ...one, address: one.checkAddress as Server["address"] })).toBe("10.0.0.5:9");
    expect([world.addresses.next(one), world.told]).toEqual(["10.0.0.1:1", ["one has none", "one has addresses"]]);
    world.put(server("one", "app.test:1"), one);
    expect(world.addresses.size).toBe(1);
  });
});

describe("an address that failed", () => {
  const one = server("one", "app.test:1");
  const [first, second, third] = ["10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1"] as SocketAddress[];

  beforeEach(async () => {
    world.say("app.test", 60_000, "10.0.0.1", "10.0.0.2", "10.0.0.3");
    world.put(one);
    await soon();
  });

  it("is left out while there are others, and comes back after ten seconds or a success", async () => {
    world.addresses.failed(one, second as SocketAddress);
    expect(nexts(one, 4)).toEqual([first, third, first, third]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(nexts(one, 3)).toEqual([first, second, third]);
    world.addresses.failed(one, first as SocketAddress);
    world.addresses.succeeded(one, first as SocketAddress);
    expect(nexts(one, 3)).toEqual([first, second, third]);
  });

  it("is tried where all have failed: the one whose failure is the longest ago", async () => {
    for (const address of [second, first, third]) {
      world.addresses.failed(one, address as SocketAddress);
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(world.addresses.next(one)).toBe(second);
    world.addresses.failed(one, second as SocketAddress);
    expect(world.addresses.next(one)).toBe(first);
  });

  it("of another server at the same name is none of this one's", () => {
    const two = server("two", "app.test:1");
    world.put(two);
    world.addresses.failed(two, first as SocketAddress);
    expect(world.addresses.next(one)).toBe(first);
  });
});

describe("many names", () => {
  it("are asked for thirty-two at a time, and all of them", async () => {
    const count = 200;
    world.addresses.apply(
      Array.from({ length: count }, (_, index) => {
        world.say(`n${index}.test`, 60_000, "10.0.0.1");
        return { before: null, after: server(`s${index}`, `n${index}.test:1`) };
      }),
    );
    await vi.advanceTimersByTimeAsync(100);
    expect([new Set(world.asked).size, world.asked.length, world.mostInFlight]).toEqual([count, count, 32]);
  });

  it("of which some never answer do not keep the others", async () => {
    for (let index = 0; index < 31; index += 1) world.names.set(`n${index}.test`, "never");
    for (let index = 0; index < 60; index += 1) world.put(server(`s${index}`, `n${index}.test:1`));
    await vi.advanceTimersByTimeAsync(100);
    expect(world.asked.length).toBe(60);
  });
});
