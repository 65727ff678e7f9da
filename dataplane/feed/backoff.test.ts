import { describe, expect, it, vi } from "vitest";
import { Backoff, pause } from "./backoff.ts";

describe("the delay before an attempt", () => {
  it.each([
    [0, 200],
    [1, 400],
    [2, 800],
    [3, 1600],
    [4, 2000],
    [50, 2000],
    [5000, 2000],
  ])("after %i failures in a row is between half of and all of %i ms", (failures, fullMs) => {
    expect(new Backoff(200, 2000, () => 0).delayMs(failures)).toBe(fullMs / 2);
    expect(new Backoff(200, 2000, () => 0.5).delayMs(failures)).toBe((fullMs * 3) / 4);
    expect(new Backoff(200, 2000, () => 1).delayMs(failures)).toBe(fullMs);
  });
});

describe("a pause", () => {
  it("ends with its time, or at once when it is aborted, and leaves no timer", async () => {
    vi.useFakeTimers();
    try {
      const stop = new AbortController();
      const passed = pause(1000, stop.signal);
      vi.advanceTimersByTime(1000);
      await passed;
      const aborted = pause(1000, stop.signal);
      stop.abort();
      await aborted;
      await pause(1000, stop.signal);
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });
});
