import type { JsonValue } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { isSafe } from "./safe-text.ts";
import { yamlText } from "./yaml-text.ts";

const seed = Number(process.env["SWITCHYARD_TEST_SEED"]);

describe("a value written as YAML", () => {
  const written: readonly (readonly [string, JsonValue, string])[] = [
    [
      "nests by two blanks",
      { farm: { name: "farms/web", connectTimeout: "5s" } },
      "farm:\n  name: farms/web\n  connectTimeout: 5s\n",
    ],
    ["begins a list below its key", { names: ["a.test", "b.test"] }, "names:\n  - a.test\n  - b.test\n"],
    ["puts a map's first key on the item's line", [{ a: 1, b: [true] }, "x"], "- a: 1\n  b:\n    - true\n- x\n"],
    ["puts a list's first item on the item's line", [[1, 2], [3]], "- - 1\n  - 2\n- - 3\n"],
    ["keeps empty lists and maps", { a: {}, b: [], c: [{}] }, "a: {}\nb: []\nc:\n  - {}\n"],
    ["quotes an address, which YAML 1.1 may read in base 60", { a: "10.0.0.1:443" }, 'a: "10.0.0.1:443"\n'],
    ["quotes a wildcard, which would be an alias", ["*.example.com"], '- "*.example.com"\n'],
    ["quotes what a YAML 1.1 reader took for a number", ["e0"], '- "e0"\n'],
    [
      "quotes what looks like another type",
      ["no", "NULL", "12", "", "a: b", "# c"],
      '- "no"\n- "NULL"\n- "12"\n- ""\n- "a: b"\n- "# c"\n',
    ],
    ["escapes what acts on a terminal", { "\u009Bk": "\u202Ea\u0007" }, '"\\u009bk": "\\u202ea\\u0007"\n'],
    ["is one line for a scalar", "farms/web", "farms/web\n"],
  ];
  it.each(written)("%s", (_, value, text) => {
    expect(yamlText(value)).toBe(text);
  });

  it("is read as the same value, and holds nothing unsafe", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3, stringUnit: "binary" }), (value) => {
        const text = yamlText(value as JsonValue);
        expect(isSafe(text.replaceAll("\n", ""))).toBe(true);
        // By way of JSON, because it has no negative zero.
        expect(parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
      { seed, numRuns: 100 },
    );
  });

  it("is text for readers of YAML 1.1 too, where it is text", () => {
    const words = fc.oneof(fc.string(), fc.stringMatching(/^[\w.:/-]{1,8}$/));
    fc.assert(
      fc.property(words, (text) => {
        expect(parse(yamlText([text]), { version: "1.1" })).toEqual([text]);
      }),
      { seed, numRuns: 500 },
    );
  });
});
