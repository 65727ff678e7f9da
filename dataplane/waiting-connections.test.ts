import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ConnectVerdict, RejectVerdict } from "./engine/engine.ts";
import { RoutedConnection } from "./routed-connection.ts";
import { WaitingConnections } from "./waiting-connections.ts";

type Answer = ConnectVerdict | RejectVerdict;

function connection(id: number): RoutedConnection {
  return new RoutedConnection(id, "listeners/edge", null, null, 1);
}

function rejected(context: RoutedConnection): RejectVerdict {
  return { verdict: "reject", alert: "internal_error", reason: "queue_timeout", context };
}

/** A farm with so much room, and what was answered, in its order. */
class Rig {
  room = 0;
  readonly answered: string[] = [];
  readonly waiting = new WaitingConnections({
    nowMs: () => performance.now(),
    place: (routed) => this.#place(routed),
    timedOut: rejected,
    answer: (id, { verdict }) => this.answered.push(`${id} ${verdict}`),
  });

  push(id: number, lengthMax = 10, timeoutMs = 1000): boolean {
    return this.waiting.push("farms/f", connection(id), lengthMax, timeoutMs);
  }

  #place(routed: RoutedConnection): Answer | undefined {
    // All room is at the server `a`.
    if (this.room === 0 || routed.tried.has("farms/f/servers/a")) return undefined;
    this.room -= 1;
    return { ...rejected(routed), reason: "no_server" };
  }
}

describe("connections that wait for a server with room", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => {
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  it("are served in the order in which they came, as many as there is room for", () => {
    const rig = new Rig();
    for (const id of [7, 3, 5]) rig.push(id);
    rig.waiting.roomAt("farms/f");
    expect(rig.answered).toEqual([]);
    rig.room = 2;
    rig.waiting.roomAt("farms/f");
    expect([rig.answered, rig.waiting.count]).toEqual([["7 reject", "3 reject"], 1]);
    rig.room = 5;
    rig.waiting.roomAnywhere();
    expect([rig.answered.at(-1), rig.waiting.count]).toEqual(["5 reject", 0]);
  });

  it("are no more than the farm allows", () => {
    const rig = new Rig();
    expect([rig.push(1, 2), rig.push(2, 2), rig.push(3, 2), rig.push(4, 0)]).toEqual([true, true, false, false]);
    for (const id of [1, 2]) rig.waiting.gone(id);
  });

  it("give up in time, each at its own deadline, also where a later one is nearer", () => {
    const rig = new Rig();
    rig.push(1, 10, 1000);
    rig.push(2, 10, 200);
    vi.advanceTimersByTime(199);
    expect(rig.answered).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(rig.answered).toEqual(["2 reject"]);
    vi.advanceTimersByTime(800);
    expect([rig.answered, rig.waiting.count]).toEqual([["2 reject", "1 reject"], 0]);
  });

  it("may leave, and then nothing is answered, nor anybody held up", () => {
    const rig = new Rig();
    for (const id of [1, 2]) rig.push(id);
    rig.waiting.gone(1);
    rig.waiting.gone(99);
    rig.room = 1;
    rig.waiting.roomAt("farms/f");
    expect(rig.answered).toEqual(["2 reject"]);
    vi.advanceTimersByTime(5000);
    expect(rig.answered).toEqual(["2 reject"]);
  });

  it("where there is room only at a server that the first has tried in vain, do not wait behind it, and it keeps its place", () => {
    const rig = new Rig();
    const retried = connection(1);
    retried.triedInVain("farms/f/servers/a");
    rig.waiting.push("farms/f", retried, 10, 1000);
    for (const id of [2, 3, 4]) rig.push(id);
    rig.room = 2;
    rig.waiting.roomAt("farms/f");
    expect([rig.answered, rig.waiting.count]).toEqual([["2 reject", "3 reject"], 2]);
    retried.tried = new Set();
    rig.room = 2;
    rig.waiting.roomAt("farms/f");
    expect(rig.answered.slice(2)).toEqual(["1 reject", "4 reject"]);
  });

  it("for one server that a route names do not hold up those for the farm", () => {
    const rig = new Rig();
    rig.waiting.push("farms/f/servers/a", connection(1), 10, 1000);
    rig.push(2);
    rig.room = 1;
    rig.waiting.roomAt("farms/f");
    expect(rig.answered).toEqual(["2 reject"]);
    rig.waiting.gone(1);
  });
});
