import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ipBytes, type IpAddress, type Network } from "../../model/address.ts";
import { matchKeys } from "../../model/match-key.ts";
import { chooseRoute } from "../../model/match-route.ts";
import type { Announcement, Match, Route } from "../../model/resource.ts";
import type { ServerName } from "../../model/server-name.ts";
import type { ServerNamePattern } from "../../model/server-name-pattern.ts";
import type { Narrowing } from "./rivals.ts";
import { type RouteChange, RuleTable } from "./rule-table.ts";

// The run's seed, which the test runner prints.
fc.configureGlobal({ seed: Number(process.env["SWITCHYARD_TEST_SEED"] ?? 1) });

interface MatchText {
  readonly names?: readonly string[];
  readonly noName?: boolean;
  readonly alpn?: readonly string[];
  readonly source?: readonly string[];
}

function route(id: string, text: MatchText, farm = id): Route {
  const match: Match = {
    serverNames: (text.names ?? []) as readonly ServerNamePattern[],
    noServerName: text.noName ?? false,
    alpnProtocols: text.alpn ?? [],
    sourceNetworks: (text.source ?? []) as readonly Network[],
  };
  return { kind: "route", name: `listeners/edge/routes/${id}`, match, action: { to: "farm", farm: `farms/${farm}` } };
}

function hello(name: string | null, alpnProtocols: readonly string[] = [], source: string | null = null): Announcement {
  return { serverName: name as ServerName | null, alpnProtocols, source: source as IpAddress | null };
}

/** What the table says, asked as a node asks it: by bytes that stand amid others. */
function ask(table: RuleTable, { serverName, alpnProtocols, source }: Announcement): Route | undefined {
  const narrowing: Narrowing = {
    alpnIndex: (protocol) => alpnProtocols.indexOf(protocol),
    source: source === null ? null : ipBytes(source)!,
  };
  if (serverName === null) return table.lookupNoName(narrowing);
  const bytes = new TextEncoder().encode(`xx${serverName}.xx`);
  return table.lookup(bytes, 2, 2 + serverName.length, narrowing);
}

function created(...routes: readonly Route[]): RouteChange[] {
  return routes.map((after) => ({ before: null, after }));
}

function deleted(...routes: readonly Route[]): RouteChange[] {
  return routes.map((before) => ({ before, after: null }));
}

const plain = route("plain", { names: ["a.test"] });
const wild = route("wild", { names: ["*.test"] });
const any = route("any", { names: ["*"] });
const none = route("none", { noName: true });

describe("a lookup", () => {
  const table = RuleTable.build([plain, wild, any, none]);

  it.each([
    ["finds an exact name", "a.test", plain],
    ["finds what a wildcard covers", "b.test", wild],
    ["finds what a wildcard covers by several labels", "c.b.a.test", wild],
    ["finds no wildcard by its suffix", "test", any],
    ["finds `*` for all else", "example.com", any],
    ["finds the wildcard, as for any name, when its own text is announced", "*.test", wild],
    ["finds `*` when its own text is announced", "*", any],
    ["finds the route for no name", null, none],
  ])("%s", (_law, name, expected) => {
    expect(ask(table, hello(name))).toBe(expected);
  });

  it("of an empty table finds nothing", () => {
    const empty = RuleTable.build([]);
    expect(ask(empty, hello("a.test"))).toBeUndefined();
    expect(ask(empty, hello(null))).toBeUndefined();
    expect(empty.nameCount).toBe(0);
  });

  it("of a name as long as names get, with a wildcard at each of its dots, finds the longest", () => {
    const name = `${"a.".repeat(126)}b`;
    const suffixes = Array.from({ length: 126 }, (_, index) => name.slice(2 * index + 2));
    const routes = suffixes.map((suffix, index) => route(`r${index}`, { names: [`*.${suffix}`], alpn: [`p${index}`] }));
    const deep = RuleTable.build(routes);
    expect(ask(deep, hello(name, ["p0", "p125"]))).toBe(routes[0]);
    expect(ask(deep, hello(name, ["p125"]))).toBe(routes[125]);
    expect(ask(deep, hello(name, ["p126"]))).toBeUndefined();
  });

  it("tells apart names of which one is a part of another", () => {
    const names = ["a", "a.a", "aa", "a.a.a", "aa.a", "a.aa"];
    const routes = names.map((name, index) => route(`r${index}`, { names: [name] }));
    const similar = RuleTable.build(routes);
    for (const [index, name] of names.entries()) expect(ask(similar, hello(name))).toBe(routes[index]);
    expect(ask(similar, hello("aaa"))).toBeUndefined();
  });
});

describe("a change", () => {
  it("creates, updates and deletes a route", () => {
    const table = RuleTable.build([]);
    table.apply(created(plain, none));
    expect(ask(table, hello("a.test"))).toBe(plain);
    const moved = route("plain", { names: ["a.test", "b.test"], noName: false }, "other");
    table.apply([{ before: plain, after: moved }]);
    expect(ask(table, hello("a.test"))).toBe(moved);
    expect(ask(table, hello("b.test"))).toBe(moved);
    table.apply([{ before: moved, after: plain }]);
    expect(ask(table, hello("b.test"))).toBeUndefined();
    table.apply(deleted(plain, none));
    expect(ask(table, hello("a.test"))).toBeUndefined();
    expect(ask(table, hello(null))).toBeUndefined();
    expect(table.nameCount).toBe(0);
  });

  it("lets two routes exchange their names in one commit", () => {
    const some = { names: ["l.test", "*"] };
    const others = { names: ["r.test", "*.r"], noName: true };
    const [left, right] = [route("l", some), route("r", others)];
    const [newLeft, newRight] = [route("l", others), route("r", some)];
    const table = RuleTable.build([left, right]);
    table.apply([
      { before: left, after: newLeft },
      { before: right, after: newRight },
    ]);
    expect(ask(table, hello("r.test"))).toBe(newLeft);
    expect(ask(table, hello(null))).toBe(newLeft);
    expect(ask(table, hello("l.test"))).toBe(newRight);
    expect(ask(table, hello("x.y"))).toBe(newRight);
    expect(table.nameCount).toBe(4);
  });

  it.each([
    ["an exact name", plain],
    ["a wildcard", wild],
    ["`*`", any],
    ["no name", none],
  ])("of a route that is not there is refused: %s", (_kind, absent) => {
    expect(() => RuleTable.build([]).apply(deleted(absent))).toThrow(RangeError);
    const other = { ...absent, name: "listeners/edge/routes/other" } as Route;
    const table = RuleTable.build([other]);
    expect(() => table.apply(deleted(absent))).toThrow(/routes\/(plain|wild|any|none) is not in the table/);
  });

  it("that adds rivals to a name and takes them away leaves it as it was", () => {
    const h2 = route("h2", { names: ["a.test", "*.test", "*"], noName: true, alpn: ["h2"] });
    const table = RuleTable.build([plain, wild, any, none]);
    table.apply(created(h2));
    for (const [name, expected] of [
      ["a.test", plain],
      ["b.test", wild],
      ["c", any],
      [null, none],
    ] as const) {
      expect(ask(table, hello(name, ["h2"]))).toBe(h2);
      expect(ask(table, hello(name))).toBe(expected);
    }
    table.apply(deleted(h2));
    expect(ask(table, hello("a.test", ["h2"]))).toBe(plain);
    expect(table.nameCount).toBe(3);
    expect(table.bytesUsed).toBe(RuleTable.build([plain, wild, any, none]).bytesUsed);
  });

  it("that takes rivals away leaves nothing of them for rivals that come later", () => {
    const [h2, h1] = [
      route("h2", { names: ["a.test"], alpn: ["h2"] }),
      route("h1", { names: ["a.test"], alpn: ["h1"] }),
    ];
    const table = RuleTable.build([plain, h2]);
    table.apply(deleted(h2));
    table.apply(created(h1));
    expect(ask(table, hello("a.test", ["h2"]))).toBe(plain);
    expect(ask(table, hello("a.test", ["h1"]))).toBe(h1);
    table.apply(deleted(plain, h1));
    table.apply(created(h2));
    expect(ask(table, hello("a.test", ["h1"]))).toBeUndefined();
    expect(ask(table, hello("a.test", ["h2"]))).toBe(h2);
  });

  it("to wildcards stops lookups from probing where there are none any more", () => {
    const table = RuleTable.build([wild]);
    table.apply(deleted(wild));
    expect(ask(table, hello("b.test"))).toBeUndefined();
    table.apply(created(wild));
    expect(ask(table, hello("b.test"))).toBe(wild);
  });
});

const nameText = fc.array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 4 }).map((each) => each.join("."));
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
  alpn: fc.oneof(fc.constant([]), fc.uniqueArray(protocol, { maxLength: 2 })),
  source: fc.oneof(fc.constant([]), fc.uniqueArray(network, { maxLength: 2 })),
});
const announcement = fc
  .tuple(
    fc.option(
      fc.oneof(
        nameText,
        nameText.map((name) => `*.${name}`),
      ),
      { freq: 5 },
    ),
    fc.uniqueArray(protocol),
    fc.option(fc.constantFrom("10.1.1.1", "10.1.2.3", "192.0.2.1", "2001:db8::1", "::ffff:10.1.1.1")),
  )
  .map(([name, alpn, source]) => hello(name, alpn, source));

describe("the table answers as the reference matcher", () => {
  /** A few routes' ids, so that updates and deletions meet routes that are there. A null match deletes. */
  const step = fc.record({ id: fc.nat(9), match: fc.option(matchText, { freq: 3 }), own: fc.boolean() });
  const commit = fc.array(step, { minLength: 1, maxLength: 4 });

  /** Plays the step on the routes, and answers it as a change; undefined where it is none, or a commit would refuse it. */
  function play(
    routes: Map<string, Route>,
    each: { id: number; match: MatchText | null; own: boolean },
    round: number,
  ) {
    const id = `r${each.id}`;
    const before = routes.get(id) ?? null;
    if (each.match === null) {
      routes.delete(id);
      return before === null ? undefined : { before, after: null };
    }
    // An update changes the action alone in half of the cases.
    const after = each.own && before ? { ...before, action: route(id, {}, `f${round}`).action } : route(id, each.match);
    const taken = new Set(
      [...routes.values()].filter((other) => other !== before).flatMap((other) => [...matchKeys(other.match)]),
    );
    if ([...matchKeys(after.match)].some((key) => taken.has(key))) return undefined;
    routes.set(id, after);
    return { before, after };
  }

  /** `expect` itself would take most of the time of a property that asks so often. */
  function expectSame(table: RuleTable, routes: Iterable<Route>, announced: Announcement): void {
    const found = ask(table, announced);
    const expected = chooseRoute(routes, announced)?.route;
    if (found !== expected)
      expect.fail(`${JSON.stringify(announced)} goes to ${found?.name}, and should to ${expected?.name}`);
  }

  it("after any commits, in place and by way of forks, whatever the seed", () => {
    fc.assert(
      fc.property(
        fc.array(commit, { maxLength: 10 }),
        fc.array(announcement, { minLength: 5, maxLength: 20 }),
        fc.integer(),
        fc.boolean(),
        (commits, announcements, hashSeed, forks) => {
          const routes = new Map<string, Route>();
          let table = RuleTable.build([], hashSeed);
          for (const [round, steps] of commits.entries()) {
            const old = table;
            const oldAnswers = announcements.map((each) => ask(old, each));
            if (forks) table = old.fork();
            table.apply(steps.map((each) => play(routes, each, round)).filter((change) => change !== undefined));
            const rebuilt = RuleTable.build(routes.values(), hashSeed + 1);
            for (const each of announcements) {
              expectSame(table, routes.values(), each);
              expectSame(rebuilt, routes.values(), each);
            }
            if (forks) expect(announcements.map((each) => ask(old, each))).toEqual(oldAnswers);
            const names = new Set([...routes.values()].flatMap((each) => each.match.serverNames));
            expect(table.nameCount).toBe(names.size);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it("even for routes that tie, which commits do not allow", () => {
    fc.assert(
      fc.property(
        fc.array(matchText, { maxLength: 8 }),
        fc.array(announcement, { maxLength: 20 }),
        (texts, announcements) => {
          const routes = texts.map((text, index) => route(`r${index}`, text));
          const table = RuleTable.build(routes);
          for (const each of announcements) expectSame(table, routes, each);
        },
      ),
      { numRuns: 200 },
    );
  });
});
