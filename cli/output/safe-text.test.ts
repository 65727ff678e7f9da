import { describe, expect, it } from "vitest";
import { safeDocument, safeText } from "./safe-text.ts";

describe("text for a terminal", () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ["leaves names as they are", "farms/web *.exämple.com 例え", "farms/web *.exämple.com 例え"],
    ["escapes the escape character", "\u001B[2Jgone", "\\u001b[2Jgone"],
    ["escapes line breaks and tabs", "a\r\nb\tc", "a\\u000d\\u000ab\\u0009c"],
    ["escapes DEL and the C1 controls, CSI among them", "\u007F\u009B1m", "\\u007f\\u009b1m"],
    ["escapes what reorders text", "a\u202Eb\u2066c\u200F", "a\\u202eb\\u2066c\\u200f"],
    ["escapes line and paragraph separators", "\u2028\u2029", "\\u2028\\u2029"],
    ["escapes what has no width", "\u200B\uFEFF", "\\u200b\\ufeff"],
    ["escapes half a character", "\uD800", "\\ud800"],
    ["keeps whole characters beyond 16 bits", "\u{1F682}", "\u{1F682}"],
  ];
  it.each(cases)("%s", (_, text, shown) => {
    expect(safeText(text)).toBe(shown);
  });

  it("keeps a JSON document's meaning and its line breaks", () => {
    const value = { name: "\u009Bx\u202E\n", list: ["\u007F"] };
    const text = safeDocument(JSON.stringify(value, undefined, 2));
    expect(JSON.parse(text)).toEqual(value);
    expect(text.split("\n")).toHaveLength(6);
    expect(text).not.toContain("\u009B");
  });
});
