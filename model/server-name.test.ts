import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  asciiText,
  normaliseServerName,
  parseServerName,
  serverNameBytesMax,
  serverNameFault,
  type ServerNameFault,
} from "./server-name.ts";

// The run's seed, which the test runner prints.
fc.configureGlobal({ seed: Number(process.env["SWITCHYARD_TEST_SEED"] ?? 1) });

const label63 = "a".repeat(63);
const name253 = `${label63}.${label63}.${label63}.${"b".repeat(61)}`;

/** The answer for bytes that stand amid others, in a target that has others before. */
function normalise(bytes: Uint8Array): string {
  const source = new Uint8Array(bytes.length + 2).fill(0x78);
  source.set(bytes, 1);
  const target = new Uint8Array(serverNameBytesMax + 3);
  const answer = normaliseServerName(source, 1, 1 + bytes.length, target, 3);
  return answer < 0 ? serverNameFault(answer) : asciiText(target, 3, 3 + answer);
}

const good: readonly (readonly [law: string, text: string, normal: string])[] = [
  ["a normal name is itself", "shop.example.com", "shop.example.com"],
  ["letters fold to lower case", "ShOp.EXAMPLE.com", "shop.example.com"],
  ["all letters fold, from A to Z", "ABYZ", "abyz"],
  ["only ASCII letters fold: the signs beside them stay", "@[`{.com", "@[`{.com"],
  ["one trailing dot is dropped", "example.com.", "example.com"],
  ["a single label is a name", "localhost", "localhost"],
  ["one byte is a name", "a", "a"],
  ["an IPv4 literal is a name like any other", "192.0.2.1", "192.0.2.1"],
  ["an IPv6 literal is a name like any other", "[2001:DB8::1]", "[2001:db8::1]"],
  ["an underscore is part of a name", "_dmarc.example.com", "_dmarc.example.com"],
  ["hyphens may stand anywhere", "-a-.example.com", "-a-.example.com"],
  ["a star is a character of an announced name", "*.example.com", "*.example.com"],
  ["a slash and a port are characters too", "a/b:443", "a/b:443"],
  ["nothing is percent-decoded", "a%2eb%41", "a%2eb%41"],
  ["the first and the last printable character", "!~", "!~"],
  ["a label of 63 bytes", `${label63}.com`, `${label63}.com`],
  ["253 bytes", name253, name253],
  ["253 bytes and a trailing dot", `${name253}.`, name253],
];

const bad: readonly (readonly [law: string, text: string, fault: ServerNameFault])[] = [
  ["nothing", "", "name_empty"],
  ["a dot alone", ".", "name_empty"],
  ["two dots", "..", "name_label_length"],
  ["two trailing dots", "example.com..", "name_label_length"],
  ["a leading dot", ".example.com", "name_label_length"],
  ["an empty label inside", "a..b", "name_label_length"],
  ["a label of 64 bytes", `a${label63}.com`, "name_label_length"],
  ["a last label of 64 bytes", `com.a${label63}`, "name_label_length"],
  ["254 bytes", `${name253}b`, "name_too_long"],
  ["254 bytes, the last a dot after an empty label", `${name253}..`, "name_too_long"],
  ["a kilobyte", "a.".repeat(512), "name_too_long"],
  ["NUL, which cuts names short elsewhere", "a.test\0.b.test", "name_character"],
  ["a newline, which forges log lines", "a\nb", "name_character"],
  ["a blank inside", "a b", "name_character"],
  ["a blank before", " a", "name_character"],
  ["a tab", "a\tb", "name_character"],
  ["delete", "a\x7f", "name_character"],
  ["a byte above ASCII", "a\x80", "name_character"],
  ["a letter above ASCII", "b\u00fccher.example", "name_character"],
  ["a letter that folds to ASCII elsewhere (Kelvin sign)", "\u212a.example", "name_character"],
];

describe("the normaliser of names", () => {
  it.each(good)("takes %s", (_law, text, normal) => {
    expect(normalise(new TextEncoder().encode(text))).toBe(normal);
    expect(parseServerName(text)).toEqual({ name: normal });
  });

  it.each(bad)("refuses %s", (_law, text, fault) => {
    expect(normalise(new TextEncoder().encode(text))).toBe(fault);
    expect(parseServerName(text)).toEqual({ fault });
  });

  it("changes nothing more in what it has made", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "B", ".", "-", "_", "9", " ", "\0"), maxLength: 80 });
    fc.assert(
      fc.property(text, (each) => {
        const parsed = parseServerName(each);
        if ("name" in parsed) expect(parseServerName(parsed.name)).toEqual(parsed);
      }),
      { numRuns: 1000 },
    );
  });

  it("says the same of text and of its bytes", () => {
    const bytes = fc.uint8Array({ maxLength: 300, max: 0x7f });
    const nearlyNames = fc
      .array(fc.constantFrom("a", "Z", ".", label63), { maxLength: 8 })
      .map((each) => each.join(""));
    const either = fc.oneof(
      bytes,
      nearlyNames.map((text) => new TextEncoder().encode(text)),
    );
    fc.assert(
      fc.property(either, (each) => {
        // Text past any name's length is not read to its end, so of two faults it may name the other one.
        fc.pre(each.length <= 255);
        const parsed = parseServerName(asciiText(each, 0, each.length));
        expect("name" in parsed ? parsed.name : parsed.fault).toBe(normalise(each));
      }),
      { numRuns: 1000 },
    );
  });

  it("writes no byte outside its place, whatever it reads", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        const target = new Uint8Array(3 + serverNameBytesMax + 300).fill(0xee);
        normaliseServerName(bytes, 0, bytes.length, target, 3);
        const around = [...target.subarray(0, 3), ...target.subarray(3 + serverNameBytesMax)];
        expect(around.every((byte) => byte === 0xee)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it("has a reason for each negative answer, and for no other number", () => {
    expect([-1, -2, -3, -4].map(serverNameFault)).toEqual([
      "name_empty",
      "name_too_long",
      "name_character",
      "name_label_length",
    ]);
    expect(() => serverNameFault(-5)).toThrow(RangeError);
    expect(() => serverNameFault(0)).toThrow(RangeError);
  });
});
