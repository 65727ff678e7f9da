import { describe, expect, test } from "vitest";
import { median, quantile, rotated } from "./statistics.ts";

describe("the median", () => {
  test.each<[readonly number[], number]>([
    [[7], 7],
    [[3, 1, 2], 2],
    [[4, 1, 3, 2], 2.5],
    [[10, 9, 100], 10],
    [[-1, -5, 0], -1],
  ])("of %j is %d", (values, expected) => {
    expect(median(values)).toBe(expected);
  });

  test("leaves its input as it was", () => {
    const values = [3, 1, 2];
    median(values);
    expect(values).toEqual([3, 1, 2]);
  });

  test("of nothing is refused", () => {
    expect(() => median([])).toThrow(RangeError);
  });
});

describe("the quantile", () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
  test.each<[readonly number[], number, number]>([
    [hundred, 0.99, 99],
    [hundred, 1, 100],
    [hundred, 0, 1],
    [[5], 0.99, 5],
    [[1, 2], 0.5, 1],
  ])("of %j at %d is %d", (values, q, expected) => {
    expect(quantile(values, q)).toBe(expected);
  });

  test("of nothing is refused", () => {
    expect(() => quantile([], 0.5)).toThrow(RangeError);
  });
});

describe("the order of rounds", () => {
  test("moves on by one each round, and every target comes once in each", () => {
    const rounds = [0, 1, 2, 3].map((round) => rotated(["a", "b", "c"], round).join(""));
    expect(rounds).toEqual(["abc", "bca", "cab", "abc"]);
  });

  test("of no targets is empty", () => {
    expect(rotated([], 3)).toEqual([]);
  });
});
