import { describe, expect, test } from "vitest";
import { planCores } from "./core-plan.ts";

describe("the plan of cores", () => {
  test.each([2, 3, 4, 16])("keeps generator and sink off the proxy's core, on %d cores", (cores) => {
    const plan = planCores(cores);
    expect(plan.proxy).toHaveLength(1);
    expect([...plan.load, ...plan.sink]).not.toContain(plan.proxy[0]);
    expect(Math.max(...plan.load, ...plan.sink, ...plan.proxy, ...plan.pair)).toBeLessThan(cores);
  });

  test.each([
    [2, false],
    [3, false],
    [4, true],
  ])("says whether two engine threads have cores of their own: %d cores, %s", (cores, apart) => {
    const plan = planCores(cores);
    expect(plan.pairIsApart).toBe(apart);
    expect(plan.pair.some((core) => plan.load.includes(core) || plan.sink.includes(core))).toBe(!apart);
  });

  test("refuses one core", () => {
    expect(() => planCores(1)).toThrow(RangeError);
  });
});
