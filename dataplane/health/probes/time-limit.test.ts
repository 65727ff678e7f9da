import { expect, it } from "vitest";
import { waitFor } from "../../../test/support/wait-for.ts";
import { TimeLimit } from "./time-limit.ts";

const limitMs = 40;

function standStill(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3 * limitMs);
}

/** One turn of the loop: its timers, then its sockets. */
async function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

it("A thread that stands still for longer than the limit has not used it up: the loop comes round to the sockets first.", async () => {
  const told: boolean[] = [];
  await turn();
  const limit = new TimeLimit(limitMs, (wasStalled) => told.push(wasStalled));
  for (let stalls = 0; stalls < 4; stalls += 1) {
    standStill();
    await turn();
    expect(told).toEqual([]);
  }
  await waitFor("the limit", () => told.length > 0);
  expect(told).toEqual([true]);
  limit.clear();
});

it("A limit that is cleared is never told, nor one part of it more.", async () => {
  const told: boolean[] = [];
  const limit = new TimeLimit(limitMs, (wasStalled) => told.push(wasStalled));
  standStill();
  await turn();
  limit.clear();
  let over = false;
  const later = new TimeLimit(limitMs, () => (over = true));
  await waitFor("a later limit", () => over);
  later.clear();
  expect(told).toEqual([]);
});
