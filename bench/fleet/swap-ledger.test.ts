import { describe, expect, it } from "vitest";
import { SwapLedger } from "./swap-ledger.ts";

describe("the ledger of swaps", () => {
  it("tells of a revision once, when the last follower has reached it, with everybody's time", () => {
    const told: (readonly [number, readonly number[]])[] = [];
    const ledger = new SwapLedger(3, (revision, times) => told.push([revision, times]));
    ledger.swapped(0, 1, 10);
    ledger.swapped(2, 1, 11);
    ledger.swapped(0, 2, 12);
    expect(told).toEqual([]);
    ledger.swapped(1, 1, 13);
    expect(told).toEqual([[1, [10, 11, 13]]]);
    ledger.swapped(1, 1, 14);
    expect(told).toHaveLength(1);
  });

  it("counts a follower that skips revisions as having reached them all", () => {
    const told: (readonly [number, readonly number[]])[] = [];
    const ledger = new SwapLedger(2, (revision, times) => told.push([revision, times]));
    ledger.swapped(0, 2, 20);
    ledger.swapped(1, 2, 25);
    expect(told).toEqual([
      [1, [20, 25]],
      [2, [20, 25]],
    ]);
  });
});
