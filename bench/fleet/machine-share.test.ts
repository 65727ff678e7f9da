import { describe, expect, it } from "vitest";
import { machineShares, machineTimes } from "./machine-share.ts";

const start = { allNs: 1000, busyNs: 100, ownNs: 50 };

describe("the shares of the machine", () => {
  it.each([
    ["all idle", { allNs: 2000, busyNs: 100, ownNs: 50 }, 0, 0],
    ["all ours", { allNs: 2000, busyNs: 600, ownNs: 550 }, 0.5, 0],
    ["half ours", { allNs: 2000, busyNs: 1100, ownNs: 550 }, 0.5, 0.5],
    [
      "a process of ours has ended, and its time is not ours any more",
      { allNs: 2000, busyNs: 200, ownNs: 20 },
      0,
      0.13,
    ],
    ["no time has passed", start, 0, 0],
  ])("are as they are: %s", (_name, end, ownShare, othersShare) => {
    expect(machineShares(start, end)).toEqual({ ownShare, othersShare });
  });

  it("begin with what the system says", () => {
    const { allNs, busyNs, ownNs } = machineTimes();
    expect(allNs).toBeGreaterThan(busyNs);
    expect(busyNs).toBeGreaterThan(0);
    expect(ownNs).toBeGreaterThan(0);
  });
});
