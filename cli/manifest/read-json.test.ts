import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readJson } from "./read-json.ts";
import { readYaml } from "./read-yaml.ts";

const seed = Number(process.env["SWITCHYARD_TEST_SEED"]);

describe("the quick reader of JSON", () => {
  it("makes the same tree of a text, to the last offset, as the reader of YAML", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom(0, 1, 3), (value, space) => {
        const text = JSON.stringify([value], undefined, space);
        expect({ documents: [readJson(text)], faults: [] }).toEqual(readYaml(text));
      }),
      { seed, numRuns: 100 },
    );
  });

  const left: readonly string[] = [
    "",
    "{",
    "[1,]",
    "{,}",
    '{"a":1,}',
    "{a: 1}",
    "{'a': 1}",
    "[1 2]",
    '["a" "b"]',
    "[01]",
    "[+1]",
    "[.5]",
    "[nul]",
    "[truefalse]",
    '["\n"]',
    '["\\x"]',
    '["\\u12"]',
    "[1] # comment",
    "[1] [2]",
    "[*a]",
    "\u00A0[1]",
    `${"[".repeat(66)}${"]".repeat(66)}`,
  ];
  it.each(left)("leaves what is not strict JSON to the other: %j", (text) => {
    expect(readJson(text)).toBeUndefined();
  });

  it("keeps keys that are there twice, for the reader of messages to refuse", () => {
    expect(readJson('{"a":1,"a":2}')).toMatchObject({ entries: [{ key: "a" }, { key: "a" }] });
  });
});
