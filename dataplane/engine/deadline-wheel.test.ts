import { afterEach, expect, it } from "vitest";
import { DeadlineWheel, type Timed } from "./deadline-wheel.ts";

/** An entry that remembers when it expired. */
class Entry implements Timed {
  dueMs: number;
  expiredMs = -1;
  readonly expired: Promise<void>;
  #settle: () => void = () => undefined;

  constructor(inMs: number) {
    this.dueMs = performance.now() + inMs;
    this.expired = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  deadlineMs(): number {
    return this.dueMs;
  }

  expire(): void {
    if (this.expiredMs >= 0) throw new Error("expired twice");
    this.expiredMs = performance.now();
    this.#settle();
  }
}

const wheel = new DeadlineWheel();
const watched: Entry[] = [];
afterEach(() => {
  for (const entry of watched.splice(0)) wheel.forget(entry);
  expect(process.getActiveResourcesInfo()).not.toContain("Immediate");
});

function watch(inMs: number): Entry {
  const entry = new Entry(inMs);
  watched.push(entry);
  wheel.watch(entry);
  return entry;
}

it.each([-5, 0, 1, 24, 25, 26, 60, 130])("an entry that is due in %i ms expires, and not before", async (inMs) => {
  const entry = watch(inMs);
  await entry.expired;
  expect(entry.expiredMs).toBeGreaterThanOrEqual(entry.dueMs);
});

it("entries expire in the order of their slots", async () => {
  const order: number[] = [];
  const entries = [200, 40, 120].map((inMs) => watch(inMs));
  await Promise.all(entries.map((entry, index) => entry.expired.then(() => order.push(index))));
  expect(order).toEqual([1, 2, 0]);
});

it("a deadline that moves away is asked again when it comes", async () => {
  const entry = watch(30);
  entry.dueMs += 100;
  await entry.expired;
  expect(entry.expiredMs).toBeGreaterThanOrEqual(entry.dueMs);
});

it("a deadline that comes nearer holds once the wheel is told", async () => {
  const near = watch(3_600_000);
  near.dueMs = performance.now() + 30;
  wheel.watch(near);
  await near.expired;
  expect(near.expiredMs).toBeGreaterThanOrEqual(near.dueMs);
});

it("an entry that is let go of does not expire", async () => {
  const [gone, stays] = [watch(30), watch(90)];
  wheel.forget(gone);
  wheel.forget(gone);
  await stays.expired;
  expect(gone.expiredMs).toBe(-1);
});

it("an entry that another one lets go of in the same turn does not expire", async () => {
  const dueMs = performance.now() + 60;
  const entries = [watch(0), watch(0)];
  for (const entry of entries) {
    wheel.forget(entry);
    entry.dueMs = dueMs;
    const expire = entry.expire.bind(entry);
    entry.expire = () => {
      for (const other of entries) if (other !== entry) wheel.forget(other);
      expire();
    };
    wheel.watch(entry);
  }
  const later = watch(150);
  await later.expired;
  expect(entries.map(({ expiredMs }) => expiredMs >= 0)).toEqual([true, false]);
});

it("an entry that watches itself again when it expires is taken in again", async () => {
  let times = 0;
  await new Promise<void>((resolve) => {
    const entry: Timed = {
      deadlineMs: () => performance.now() + (times === 0 ? 0 : -1),
      expire: () => {
        times += 1;
        if (times === 3) resolve();
        else wheel.watch(entry);
      },
    };
    wheel.watch(entry);
  });
  expect(times).toBe(3);
});

it("there is a timer only while there are entries, and one for all", () => {
  const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
  const before = timers();
  const entries = Array.from({ length: 100 }, (_entry, index) => watch(index * 1000));
  expect(timers()).toBe(before + 1);
  for (const entry of entries) wheel.forget(entry);
  expect(timers()).toBe(before);
});

it("what came while the thread was held up counts: a turn is taken after the loop has polled", async () => {
  const entry = watch(30);
  const heldUpUntilMs = performance.now() + 100;
  // As a socket's bytes would: seen in the poll phase, which comes behind the timers.
  setImmediate(() => {
    entry.dueMs = performance.now() + 50;
  });
  while (performance.now() < heldUpUntilMs);
  await entry.expired;
  expect(entry.expiredMs).toBeGreaterThanOrEqual(heldUpUntilMs + 50);
});
