import { describe, expect, it } from "vitest";
import { ControlPlanes } from "./control-planes.ts";

describe("several control planes", () => {
  it.each([
    [0, "a"],
    [0.5, "b"],
    [0.99, "c"],
    [1, "c"],
  ])("begin with any of them: %d", (random, first) => {
    expect(new ControlPlanes(["a", "b", "c"], random).current).toBe(first);
  });

  it("are asked in turn, and waited for longer only when all of them are lost", () => {
    const controlPlanes = new ControlPlanes(["a", "b"], 0.5);
    const asked = Array.from({ length: 5 }, () => `${controlPlanes.current} ${controlPlanes.next()}`);
    expect(asked).toEqual(["b 0", "a 0", "b 1", "a 1", "b 2"]);
    controlPlanes.answered();
    expect([controlPlanes.current, controlPlanes.next(), controlPlanes.next()]).toEqual(["a", 0, 0]);
  });

  it("are one at least", () => {
    expect(() => new ControlPlanes([], 0)).toThrow(RangeError);
  });
});
