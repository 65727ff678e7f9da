import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Network, parseIpAddress, parseNetwork } from "./address.ts";
import { matchKeys } from "./match-key.ts";
import { chooseRoute, compareSpecificity, type Specificity, specificityOf } from "./match-route.ts";
import type { Announcement, Match, Route } from "./resource.ts";
import { parseServerName, type ServerName } from "./server-name.ts";
import { parseServerNamePattern, type ServerNamePattern } from "./server-name-pattern.ts";

// The run's seed, which the test runner prints.
fc.configureGlobal({ seed: Number(process.env["SWITCHYARD_TEST_SEED"] ?? 1) });

interface MatchText {
  readonly names?: readonly string[];
  readonly noName?: boolean;
  readonly alpn?: readonly string[];
  readonly source?: readonly string[];
}

function pattern(text: string): ServerNamePattern {
  const parsed = parseServerNamePattern(text);
  if ("fault" in parsed) throw new Error(`${text}: ${parsed.fault}`);
  return parsed.pattern;
}

function match(text: MatchText): Match {
  return {
    serverNames: (text.names ?? []).map(pattern),
    noServerName: text.noName ?? false,
    alpnProtocols: text.alpn ?? [],
    sourceNetworks: (text.source ?? []).map((network) => parseNetwork(network) as Network),
  };
}

function route(id: string, text: MatchText): Route {
  return {
    kind: "route",
    name: `listeners/edge/routes/${id}`,
    match: match(text),
    action: { to: "farm", farm: `farms/${id}` },
  };
}

function hello(name: string | null, alpn: readonly string[] = [], source: string | null = null): Announcement {
  let serverName: ServerName | null = null;
  if (name !== null) {
    const parsed = parseServerName(name);
    if ("fault" in parsed) throw new Error(`${name}: ${parsed.fault}`);
    serverName = parsed.name;
  }
  return { serverName, alpnProtocols: alpn, source: source === null ? null : parseIpAddress(source)! };
}

type Case = readonly [law: string, routes: Record<string, MatchText>, hello: Announcement, chosen: string | null];

const cases: readonly Case[] = [
  [
    "an exact name wins over a wildcard and over any name",
    { any: { names: ["*"] }, wild: { names: ["*.example.com"] }, exact: { names: ["a.example.com"] } },
    hello("a.example.com"),
    "exact",
  ],
  [
    "the longest wildcard suffix wins",
    { short: { names: ["*.com"] }, long: { names: ["*.b.example.com"] }, middle: { names: ["*.example.com"] } },
    hello("a.b.example.com"),
    "long",
  ],
  ["a wildcard covers one label", { wild: { names: ["*.example.com"] } }, hello("a.example.com"), "wild"],
  ["a wildcard covers several labels", { wild: { names: ["*.example.com"] } }, hello("a.b.c.example.com"), "wild"],
  ["a wildcard does not cover its own suffix", { wild: { names: ["*.example.com"] } }, hello("example.com"), null],
  ["a wildcard begins at a dot", { wild: { names: ["*.example.com"] } }, hello("badexample.com"), null],
  [
    "the literal name of a wildcard is a name that the wildcard covers, and no exact one",
    { wild: { names: ["*.example.com"] }, deeper: { names: ["*.a.example.com"] } },
    hello("*.example.com"),
    "wild",
  ],
  ["a wildcard wins over any name", { any: { names: ["*"] }, wild: { names: ["*.com"] } }, hello("a.com"), "wild"],
  ["`*` covers every name", { any: { names: ["*"] } }, hello("a"), "any"],
  ["`*` does not cover the absence of a name", { any: { names: ["*"] } }, hello(null), null],
  [
    "no name is covered by a route that says so",
    { any: { names: ["*"] }, none: { noName: true } },
    hello(null),
    "none",
  ],
  ["a route for no name covers no name only", { none: { noName: true } }, hello("a.example.com"), null],
  [
    "a route may take both a name and no name",
    { both: { names: ["a.example.com"], noName: true } },
    hello(null),
    "both",
  ],
  ["an unknown name matches nothing", { exact: { names: ["a.example.com"] } }, hello("b.example.com"), null],
  [
    "a route counts with the best of its names",
    { many: { names: ["*", "a.example.com"] }, wild: { names: ["*.example.com"] } },
    hello("a.example.com"),
    "many",
  ],
  [
    "a route that narrows by ALPN wins over one that does not",
    { plain: { names: ["*"] }, h2: { names: ["*"], alpn: ["h2"] } },
    hello("a", ["http/1.1", "h2"]),
    "h2",
  ],
  [
    "the protocol that the client likes best wins",
    { h2: { names: ["*"], alpn: ["h2"] }, h1: { names: ["*"], alpn: ["http/1.1"] } },
    hello("a", ["http/1.1", "h2"]),
    "h1",
  ],
  [
    "a route counts with the best of its protocols",
    { two: { names: ["*"], alpn: ["x", "http/1.1"] }, h2: { names: ["*"], alpn: ["h2"] } },
    hello("a", ["http/1.1", "h2", "x"]),
    "two",
  ],
  ["a protocol that the client does not offer never matches", { h2: { names: ["*"], alpn: ["h2"] } }, hello("a"), null],
  [
    "protocols are compared as they are, case included",
    { h2: { names: ["*"], alpn: ["h2"] } },
    hello("a", ["H2"]),
    null,
  ],
  [
    "the longest source network wins",
    { eight: { names: ["*"], source: ["10.0.0.0/8"] }, sixteen: { names: ["*"], source: ["10.1.0.0/16"] } },
    hello("a", [], "10.1.2.3"),
    "sixteen",
  ],
  [
    "a network of every address still wins over none",
    { plain: { names: ["*"] }, all: { names: ["*"], source: ["0.0.0.0/0"] } },
    hello("a", [], "10.1.2.3"),
    "all",
  ],
  ["an unknown source is in no network", { all: { names: ["*"], source: ["::/0", "0.0.0.0/0"] } }, hello("a"), null],
  [
    "an IPv4-mapped source is its IPv4 address",
    { six: { names: ["*"], source: ["::/0"] }, four: { names: ["*"], source: ["10.0.0.0/8"] } },
    hello("a", [], "::ffff:10.1.2.3"),
    "four",
  ],
  [
    "the name decides before ALPN",
    { exact: { names: ["a.b"] }, h2: { names: ["*.b"], alpn: ["h2"] } },
    hello("a.b", ["h2"]),
    "exact",
  ],
  [
    "ALPN decides before the source",
    { source: { names: ["*"], source: ["10.0.0.1/32"] }, h2: { names: ["*"], alpn: ["h2"] } },
    hello("a", ["h2"], "10.0.0.1"),
    "h2",
  ],
  [
    "an exact route whose ALPN does not hold leaves the place to a less specific name",
    { exact: { names: ["a.b"], alpn: ["h2"] }, wild: { names: ["*.b"] }, any: { names: ["*"] } },
    hello("a.b", ["http/1.1"]),
    "wild",
  ],
  [
    "an exact route whose source does not hold leaves the place to a less specific name",
    { exact: { names: ["a.b"], source: ["10.0.0.0/8"] }, any: { names: ["*"] } },
    hello("a.b", [], "192.0.2.1"),
    "any",
  ],
  [
    "no name is narrowed like a name",
    { none: { noName: true }, h2: { noName: true, alpn: ["h2"] } },
    hello(null, ["h2"]),
    "h2",
  ],
  [
    "of routes that tie, which commits refuse, the smaller name wins",
    { b: { names: ["*"] }, a: { names: ["*"] }, c: { names: ["*"] } },
    hello("x"),
    "a",
  ],
];

const labels = ["a", "b", "c"];
const nameText = fc.array(fc.constantFrom(...labels), { minLength: 1, maxLength: 4 }).map((parts) => parts.join("."));
const patternText = fc.oneof(
  nameText,
  nameText.map((name) => `*.${name}`),
  fc.constant("*"),
);
const protocol = fc.constantFrom("h2", "http/1.1", "x");
const network = fc.constantFrom("10.0.0.0/8", "10.1.0.0/16", "10.1.1.1/32", "0.0.0.0/0", "::/0", "2001:db8::/32");
const matchText: fc.Arbitrary<MatchText> = fc.record({
  names: fc.uniqueArray(patternText, { maxLength: 3 }),
  noName: fc.boolean(),
  alpn: fc.uniqueArray(protocol, { maxLength: 2 }),
  source: fc.uniqueArray(network, { maxLength: 2 }),
});
const announcement = fc
  .tuple(
    fc.option(nameText, { freq: 5 }),
    fc.uniqueArray(protocol),
    fc.option(fc.constantFrom("10.1.1.1", "10.1.2.3", "192.0.2.1", "2001:db8::1", "::ffff:10.1.1.1")),
  )
  .map(([name, alpn, source]) => hello(name, alpn, source));

/** Routes of which none shares a key with another, as commits allow them. */
const routesThatCannotTie = fc.array(matchText, { maxLength: 12 }).map((texts) => {
  const taken = new Set<string>();
  const routes: Route[] = [];
  for (const [index, text] of texts.entries()) {
    const candidate = route(`r${index}`, text);
    const keys = [...matchKeys(candidate.match)];
    if (keys.some((key) => taken.has(key))) continue;
    for (const key of keys) taken.add(key);
    routes.push(candidate);
  }
  return routes;
});

describe("the most specific route is chosen", () => {
  it.each(cases)("%s", (_law, texts, announced, chosen) => {
    const routes = Object.entries(texts).map(([id, text]) => route(id, text));
    const expected = chosen === null ? undefined : `listeners/edge/routes/${chosen}`;
    expect(chooseRoute(routes, announced)?.route.name).toBe(expected);
    expect(chooseRoute(routes.toReversed(), announced)?.route.name).toBe(expected);
  });

  it("an answer says how specific it is", () => {
    const routes = [route("a", { names: ["*.b"], alpn: ["x", "h2"], source: ["10.0.0.0/8"] })];
    expect(chooseRoute(routes, hello("a.b", ["h2"], "10.0.0.1"))?.specificity).toEqual({
      nameRank: 3,
      alpnIndex: 0,
      sourcePrefixBits: 8,
    });
    expect(chooseRoute([route("a", { noName: true })], hello(null))?.specificity).toEqual({
      nameRank: 0,
      alpnIndex: null,
      sourcePrefixBits: null,
    });
  });

  it("the order of routes does not matter", () => {
    fc.assert(
      fc.property(routesThatCannotTie, announcement, fc.infiniteStream(fc.nat()), (routes, announced, keys) => {
        const shuffled = routes
          .map((each) => ({ each, key: keys.next().value as number }))
          .toSorted((left, right) => left.key - right.key)
          .map(({ each }) => each);
        expect(chooseRoute(shuffled, announced)).toEqual(chooseRoute(routes, announced));
      }),
      { numRuns: 500 },
    );
  });

  it("routes that share no match key never tie", () => {
    fc.assert(
      fc.property(routesThatCannotTie, announcement, (routes, announced) => {
        const matching = routes
          .map((each) => specificityOf(each.match, announced))
          .filter((each) => each !== undefined);
        const [first, second] = matching.toSorted((left, right) => compareSpecificity(right, left));
        if (first && second) expect(compareSpecificity(first, second)).toBeGreaterThan(0);
      }),
      { numRuns: 1000 },
    );
  });
});

describe("specificities compare", () => {
  const specificity: fc.Arbitrary<Specificity> = fc.record({
    nameRank: fc.nat(3),
    alpnIndex: fc.option(fc.nat(3)),
    sourcePrefixBits: fc.option(fc.nat(3)),
  });

  it("to opposite answers in the two directions, and to 0 only with an equal", () => {
    fc.assert(
      fc.property(specificity, specificity, (left, right) => {
        expect(Math.sign(compareSpecificity(left, right))).toBe(0 - Math.sign(compareSpecificity(right, left)));
        expect(compareSpecificity(left, right) === 0).toBe(JSON.stringify(left) === JSON.stringify(right));
      }),
      { numRuns: 1000 },
    );
  });

  it("transitively", () => {
    fc.assert(
      fc.property(specificity, specificity, specificity, (a, b, c) => {
        fc.pre(compareSpecificity(a, b) >= 0 && compareSpecificity(b, c) >= 0);
        expect(compareSpecificity(a, c)).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 1000 },
    );
  });
});
