import { describe, expect, it } from "vitest";
import type { CliContext } from "../context.ts";
import { clipped, displayWidth } from "./display-width.ts";
import { drawnLine, wrapped } from "./painted-line.ts";

const colourful = { colour: true } as CliContext;

describe("a line is cut by the columns that it takes, not by its characters", () => {
  const cases: readonly (readonly [text: string, width: number, start: string])[] = [
    ["canary", 6, "cana"],
    ["\u6771\u4EAC", 4, "\u6771\u4EAC"],
    ["a\u6771\u4EAC", 5, "a\u6771"],
    ["e\u0301t\u00E9", 3, "e\u0301t\u00E9"],
    ["\u{1F680}\u{1F680}\u{1F680}", 6, "\u{1F680}\u{1F680}"],
  ];
  it.each(cases)("%s", (text, width, start) => {
    expect(displayWidth(text)).toBe(width);
    expect(clipped(text, 4)).toBe(start);
  });

  it("whatever its colours, and with what acts on a terminal escaped", () => {
    const line = [{ text: "ab" }, { text: "cd", colour: "red" }, { text: "\u001B[2J" }] as const;
    expect(drawnLine(colourful, line, 3)).toBe("ab\u001B[31mc\u001B[0m");
    expect(drawnLine(colourful, line, 80)).toBe("ab\u001B[31mcd\u001B[0m\\u001b[2J");
  });
});

describe("text is broken between words", () => {
  const cases: readonly (readonly [string, number, readonly string[]])[] = [
    ["one two three", 7, ["one two", "three"]],
    ["incomprehensibilities are long", 9, ["incomprehensibilities", "are long"]],
    ["short", 80, ["short"]],
    ["", 80, []],
  ];
  it.each(cases)("%j", (text, width, lines) => expect(wrapped(text, width)).toEqual(lines));
});
