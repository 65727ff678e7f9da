import { describe, expect, it } from "vitest";
import { Beacons } from "./beacons.ts";
import { EarlyEnd } from "./early-end.ts";

describe("what replicas say", () => {
  it("is nothing before one is heard", () => {
    const beacons = new Beacons(5000);
    expect([beacons.isFresh(0), beacons.furthest(0)]).toEqual([false, undefined]);
  });

  it.each<
    readonly [
      what: string,
      heard: readonly (readonly [number, number])[],
      atMs: number,
      fresh: boolean,
      furthest: number | undefined,
    ]
  >([
    ["counts for a while", [[7, 0]], 4999, true, 7],
    ["and then no more", [[7, 0]], 5000, false, undefined],
    [
      "counts where it is furthest",
      [
        [7, 0],
        [6, 1],
      ],
      10,
      true,
      7,
    ],
    [
      "moves on",
      [
        [7, 0],
        [8, 1],
      ],
      10,
      true,
      8,
    ],
    [
      "is lower when the furthest was not heard again",
      [
        [7, 0],
        [6, 4000],
        [6, 5000],
      ],
      5001,
      true,
      6,
    ],
  ])("%s", (_what, heard, atMs, fresh, furthest) => {
    const beacons = new Beacons(5000);
    for (const [revision, heardAtMs] of heard) beacons.heard(revision, heardAtMs);
    expect([beacons.isFresh(atMs), beacons.furthest(atMs)]).toEqual([fresh, furthest]);
  });
});

describe("a log that ends early", () => {
  it("is said once, after a while, and again only after it was whole", () => {
    const end = new EarlyEnd(3000);
    expect([0, 2999, 3000, 3001].map((nowMs) => end.seen(nowMs))).toEqual([false, false, true, false]);
    end.over();
    expect([4000, 7000].map((nowMs) => end.seen(nowMs))).toEqual([false, true]);
  });
});
