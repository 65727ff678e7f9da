import { describe, expect, it } from "vitest";
import { ChoosingFarm } from "../../test/support/choosing-farm.ts";

/** `a`, with marks behind it: `!` failing, `+` backup, `0` weight zero, `d` drain, `m` maintenance, `x` tried. */
type ServerText = string;

function farmOf(texts: readonly ServerText[]): ChoosingFarm {
  const farm = new ChoosingFarm({});
  for (const text of texts) {
    const marks = new Set(text.slice(1));
    const state = marks.has("d") ? "drain" : marks.has("m") ? "maintenance" : "ready";
    const fields = { state, weight: marks.has("0") ? 0 : 1, backup: marks.has("+") } as const;
    farm.put(text.slice(0, 1), fields, { healthy: !marks.has("!") });
  }
  return farm;
}

const triedOf = (texts: readonly ServerText[]): string[] =>
  texts.filter((text) => text.includes("x")).map((text) => text.slice(0, 1));

const cases: readonly (readonly [law: string, servers: readonly ServerText[], chosen: string])[] = [
  ["servers that are ready share the connections", ["a", "b", "c"], "abc"],
  ["a server in drain is not chosen", ["ad", "b"], "b"],
  ["a server in maintenance is not chosen", ["am", "b"], "b"],
  ["a server of weight 0 is not chosen", ["a0", "b"], "b"],
  ["a server that was tried is not chosen again", ["ax", "b"], "b"],
  ["a failing server is passed over", ["a!", "b"], "b"],
  ["a backup is not chosen while a primary is left", ["a", "b+"], "a"],
  ["a backup is chosen where every primary is in drain, in maintenance or of weight 0", ["ad", "bm", "c0", "d+"], "d"],
  ["a backup is chosen where every primary is failing", ["a!", "b!", "c+"], "c"],
  ["a backup is chosen where every primary was tried", ["ax", "b+"], "b"],
  ["a failing backup does not stand in for a failing primary", ["a!", "b!+"], "a"],
  ["where all are failing they are tried all the same, primaries first", ["a!", "b!", "c!+"], "ab"],
  ["where all are failing, those in drain or maintenance still are not", ["ad!", "bm!", "c!"], "c"],
  ["where all that fail were tried, failing backups are left", ["a!x", "b!+"], "b"],
  ["backups share the connections too", ["ad", "b+", "c+"], "bc"],
  ["a backup in drain is no backup", ["ad", "b+d"], "no_server"],
  ["where all were tried there is none", ["ax", "bx", "c+x"], "no_server"],
  ["of servers that are all in drain, in maintenance or of weight 0 there is none", ["ad", "bm", "c0"], "no_server"],
  ["of no servers there is none", [], "no_server"],
];

describe("of a farm's servers", () => {
  it.each(cases)("%s: %j", (_law, servers, expected) => {
    const ids = new Set(farmOf(servers).several(12, { tried: triedOf(servers) }));
    expect([...ids].sort().join("")).toBe(expected);
  });

  it("those that answer keep their turns while others fail", () => {
    expect(farmOf(["a", "b!", "c"]).several(6).join("")).toBe("acacac");
  });
});
