import { describe, expect, test } from "vitest";
import { type Panel, svgChart } from "./svg-chart.ts";

function chart(panels: readonly Panel[]): string {
  return svgChart("Heading", "Subheading", panels);
}

function widths(svg: string): number[] {
  return [...svg.matchAll(/<rect [^>]*width="([^"]*)"/g)].map((match) => Number(match[1]));
}

const bar = { label: "a", value: 10, text: "10", ours: false };

describe("the chart", () => {
  test("draws bars in proportion, the longest over the whole room", () => {
    const bars = [bar, { ...bar, value: 5 }, { ...bar, value: 0 }];
    const [first, second, third] = widths(chart([{ title: "t", better: "more", bars }]));
    expect(first).toBeGreaterThan(100);
    expect(second).toBeCloseTo((first as number) / 2, 1);
    expect(third).toBe(0);
  });

  test("scales each panel by itself", () => {
    const small = { title: "t", better: "more", bars: [{ ...bar, value: 0.001 }] } as const;
    const large = { title: "u", better: "less", bars: [{ ...bar, value: 1e9 }] } as const;
    const [one, other] = widths(chart([small, large]));
    expect(one).toBe(other);
  });

  test("says what was not measured, and draws no bar for it", () => {
    const svg = chart([{ title: "t", better: "more", bars: [{ ...bar, value: undefined, text: "secret" }] }]);
    expect(svg).toContain("not measured");
    expect(svg).not.toContain("secret");
    expect(widths(svg)).toEqual([0]);
  });

  test.each([
    { of: "nothing but zeros", bars: [{ ...bar, value: 0 }] },
    { of: "a figure below zero", bars: [{ ...bar, value: -5 }, bar] },
    { of: "no bars", bars: [] },
  ])("is sound for $of", ({ bars }) => {
    const svg = chart([{ title: "t", better: "more", bars }]);
    expect(svg).not.toMatch(/NaN|Infinity|="-/);
  });

  test("escapes what is text", () => {
    const svg = chart([{ title: "a < b & c", better: "more", bars: [{ ...bar, label: "<script>" }] }]);
    expect(svg).toContain("a &lt; b &amp; c");
    expect(svg).not.toContain("<script>");
  });

  test("holds every panel within its picture", () => {
    const panels = Array.from({ length: 5 }, () => ({ title: "t", better: "more", bars: [bar, bar] }) as const);
    const svg = chart(panels);
    const height = Number(/viewBox="0 0 \d+ (\d+)"/.exec(svg)?.[1]);
    const lowest = Math.max(...[...svg.matchAll(/ y2?="([\d.]+)"/g)].map((match) => Number(match[1])));
    expect(lowest).toBeLessThan(height);
    expect(svg.match(/class="title"/g)).toHaveLength(5);
  });

  test("closes every element that it opens", () => {
    const open: string[] = [];
    const svg = chart([{ title: "t", better: "more", bars: [bar] }]);
    for (const [, close, name, empty] of svg.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g)) {
      if (empty === "/") continue;
      if (close === "/") expect(open.pop()).toBe(name);
      else open.push(name as string);
    }
    expect(open).toEqual([]);
  });
});
