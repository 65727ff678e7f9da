import { describe, expect, it } from "vitest";
import { parseServerName, type ServerName } from "./server-name.ts";
import {
  exactRank,
  noNameRank,
  parseServerNamePattern,
  patternCovers,
  patternRank,
  type ServerNamePattern,
  type ServerNamePatternFault,
} from "./server-name-pattern.ts";

const label63 = "a".repeat(63);
const suffix251 = `${label63}.${label63}.${label63}.${"b".repeat(59)}`;

function pattern(text: string): ServerNamePattern {
  const parsed = parseServerNamePattern(text);
  if ("fault" in parsed) throw new Error(`${text}: ${parsed.fault}`);
  return parsed.pattern;
}

function name(text: string): ServerName {
  const parsed = parseServerName(text);
  if ("fault" in parsed) throw new Error(`${text}: ${parsed.fault}`);
  return parsed.name;
}

describe("a pattern", () => {
  it.each([
    ["an exact name", "a.example.com", "a.example.com"],
    ["a name in need of normalising", "A.Example.COM.", "a.example.com"],
    ["a wildcard", "*.example.com", "*.example.com"],
    ["a wildcard in need of normalising", "*.Example.COM.", "*.example.com"],
    ["a wildcard of one label", "*.com", "*.com"],
    ["any name", "*", "*"],
    ["the longest suffix that a name can have", `*.${suffix251}`, `*.${suffix251}`],
  ])("may be %s", (_law, text, normal) => {
    expect(parseServerNamePattern(text)).toEqual({ pattern: normal });
  });

  it.each<[law: string, text: string, fault: ServerNamePatternFault]>([
    ["a star amid a label", "a*.example.com", "name_wildcard"],
    ["a star before other characters", "*a.example.com", "name_wildcard"],
    ["a star in a later label", "a.*.com", "name_wildcard"],
    ["a star at the end", "example.*", "name_wildcard"],
    ["two stars", "*.*.com", "name_wildcard"],
    ["two stars in one label", "**", "name_wildcard"],
    ["a wildcard without a suffix", "*.", "name_empty"],
    ["a wildcard of an empty label", "*..com", "name_label_length"],
    ["a suffix too long for any name to end with", `*.${suffix251}b`, "name_too_long"],
    ["a suffix too long for itself", `*.${suffix251}bbb`, "name_too_long"],
    ["nothing", "", "name_empty"],
    ["a blank", "a b", "name_character"],
    ["a leading dot, which elsewhere means a suffix", ".example.com", "name_label_length"],
  ])("is not %s", (_law, text, fault) => {
    expect(parseServerNamePattern(text)).toEqual({ fault });
  });

  it.each([
    ["an exact name covers itself", "a.b", "a.b", true],
    ["an exact name covers nothing below it", "a.b", "x.a.b", false],
    ["an exact name covers no other", "a.b", "a.c", false],
    ["a wildcard covers one label more", "*.a.b", "x.a.b", true],
    ["a wildcard covers several labels more", "*.a.b", "x.y.z.a.b", true],
    ["a wildcard does not cover its suffix", "*.a.b", "a.b", false],
    ["a wildcard's suffix begins at a dot", "*.a.b", "x.xxa.b", false],
    ["a wildcard covers the name that is written like it", "*.a.b", "*.a.b", true],
    ["a wildcard covers no other suffix", "*.a.b", "x.a.c", false],
    ["the longest suffix is covered by the shortest label", `*.${suffix251}`, `x.${suffix251}`, true],
    ["`*` covers any name", "*", "x", true],
    ["`*` covers the name that is written like it", "*", "*", true],
  ])("covers: %s", (_law, patternText, nameText, covers) => {
    expect(patternCovers(pattern(patternText), name(nameText))).toBe(covers);
  });

  it("ranks exact names over longer suffixes over shorter ones over `*` over no name", () => {
    const descending = ["a", `*.${suffix251}`, "*.example.com", "*.com", "*"].map((text) => patternRank(pattern(text)));
    expect([...descending, noNameRank]).toEqual([...descending, noNameRank].toSorted((left, right) => right - left));
    expect(new Set([...descending, noNameRank]).size).toBe(6);
    expect(descending[0]).toBe(exactRank);
  });

  it("ranks all exact names alike: only one of them covers a name", () => {
    expect(patternRank(pattern("a.b.c.d"))).toBe(patternRank(pattern("a")));
  });
});
