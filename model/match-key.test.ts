import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Network } from "./address.ts";
import { matchKeyCount, matchKeys, matchKeysMax } from "./match-key.ts";
import type { Match } from "./resource.ts";
import type { ServerNamePattern } from "./server-name-pattern.ts";

// The run's seed, which the test runner prints.
fc.configureGlobal({ seed: Number(process.env["SWITCHYARD_TEST_SEED"] ?? 1) });

function match(names: string[], noServerName: boolean, alpnProtocols: string[], networks: string[]): Match {
  return {
    serverNames: names as ServerNamePattern[],
    noServerName,
    alpnProtocols,
    sourceNetworks: networks as Network[],
  };
}

describe("the keys of a match", () => {
  it.each<[law: string, match: Match, keys: string[]]>([
    ["a plain name is its own key", match(["a.b"], false, [], []), ["a.b"]],
    ["wildcards and `*` are keys like names", match(["*.b", "*"], false, [], []), ["*.b", "*"]],
    ["no name is a key that no name has", match([], true, [], []), ["(no name)"]],
    ["a name and no name are two keys", match(["a"], true, [], []), ["a", "(no name)"]],
    ["each protocol makes a key", match(["a"], false, ["h2", "x"], []), ["a alpn=h2", "a alpn=x"]],
    [
      "each network makes a key",
      match(["a"], false, [], ["10.0.0.0/8", "::/0"]),
      ["a source=10.0.0.0/8", "a source=::/0"],
    ],
    [
      "all parts combine",
      match(["a", "b"], false, ["h2", "x"], ["10.0.0.0/8"]),
      [
        "a source=10.0.0.0/8 alpn=h2",
        "a source=10.0.0.0/8 alpn=x",
        "b source=10.0.0.0/8 alpn=h2",
        "b source=10.0.0.0/8 alpn=x",
      ],
    ],
    ["a match without any name has no keys", match([], false, ["h2"], []), []],
  ])("%s", (_law, value, keys) => {
    expect([...matchKeys(value)]).toEqual(keys);
    expect(matchKeyCount(value)).toBe(keys.length);
  });

  it("are different texts for different combinations, whatever a protocol is called", () => {
    const name = fc.constantFrom("a", "b", "(no", "name)", "alpn=h2", "source=::/0");
    const protocol = fc.constantFrom("h2", "h2 source=::/0", " ", "source=::/0", "alpn=h2", "h2 alpn=h2");
    const network = fc.constantFrom("::/0", "10.0.0.0/8");
    const one = fc.tuple(fc.option(name), fc.option(protocol), fc.option(network));
    fc.assert(
      fc.property(one, one, (left, right) => {
        const [leftKey, rightKey] = [left, right].map(
          ([n, p, w]) =>
            [...matchKeys(match(n === null ? [] : [n], n === null, p === null ? [] : [p], w === null ? [] : [w]))][0],
        );
        expect(leftKey === rightKey).toBe(JSON.stringify(left) === JSON.stringify(right));
      }),
      { numRuns: 500 },
    );
  });

  it("are counted without being made, so that a match past the limit costs nothing", () => {
    const many = match(
      Array.from({ length: 1000 }, (_, index) => `n${index}`),
      true,
      Array.from({ length: 32 }, (_, index) => `p${index}`),
      Array.from({ length: 256 }, (_, index) => `10.0.${index}.0/24`),
    );
    expect(matchKeyCount(many)).toBe(1001 * 32 * 256);
    expect(matchKeyCount(many)).toBeGreaterThan(matchKeysMax);
    const [first] = matchKeys(many);
    expect(first).toBe("n0 source=10.0.0.0/24 alpn=p0");
  });
});
