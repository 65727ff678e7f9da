import { describe, expect, it } from "vitest";
import type { Route } from "../../model/resource.ts";
import type { ServerNamePattern } from "../../model/server-name-pattern.ts";
import type { Narrowing } from "./rivals.ts";
import { type RouteChange, RuleTable } from "./rule-table.ts";

const unnarrowed: Narrowing = { alpnIndex: () => -1, source: null };

function route(index: number, pattern: string): Route {
  return {
    kind: "route",
    name: `listeners/edge/routes/r${index}`,
    match: {
      serverNames: [pattern as ServerNamePattern],
      noServerName: false,
      alpnProtocols: [],
      sourceNetworks: [],
    },
    action: { to: "farm", farm: "farms/web" },
  };
}

function ask(table: RuleTable, name: string): Route | undefined {
  return table.lookup(new TextEncoder().encode(name), 0, name.length, unnarrowed);
}

function created(...routes: readonly Route[]): RouteChange[] {
  return routes.map((after) => ({ before: null, after }));
}

function deleted(...routes: readonly Route[]): RouteChange[] {
  return routes.map((before) => ({ before, after: null }));
}

describe("a table with many names", () => {
  // Enough for several rounds of splits, and small enough for a unit test.
  const count = 20_000;
  const routes = Array.from({ length: count }, (_, index) =>
    route(index, index % 10 === 0 ? `*.w${index}.test` : `h${index}.example.test`),
  );
  const announced = (index: number): string => (index % 10 === 0 ? `a.w${index}.test` : `h${index}.example.test`);

  function expectExactly(table: RuleTable, present: (index: number) => boolean): void {
    for (const [index, each] of routes.entries()) {
      const found = ask(table, announced(index));
      if (found !== (present(index) ? each : undefined)) expect.fail(`wrong answer for ${announced(index)}`);
    }
  }

  it("finds all of them, built at once or one by one", () => {
    const once = RuleTable.build(routes, 7);
    expectExactly(once, () => true);
    expect(once.nameCount).toBe(count);
    const grown = RuleTable.build([], 7);
    for (const change of created(...routes)) grown.apply([change]);
    expectExactly(grown, () => true);
    expect(grown.nameCount).toBe(count);
    expect(grown.bytesUsed).toBeLessThan(once.bytesUsed * 1.4);
  });

  it("finds those that are left after each deletion of many, and gives their memory back", () => {
    const table = RuleTable.build(routes, 8);
    const full = table.bytesUsed;
    for (const [index, each] of routes.entries()) if (index % 3 !== 0) table.apply(deleted(each));
    expectExactly(table, (index) => index % 3 === 0);
    for (const [index, each] of routes.entries()) if (index % 3 === 0 && index >= 100) table.apply(deleted(each));
    expectExactly(table, (index) => index % 3 === 0 && index < 100);
    expect(table.nameCount).toBe(34);
    expect(table.bytesUsed).toBeLessThan(full / 8);
  });

  it("takes at most 80 bytes a name for names of 24 bytes", () => {
    expect(RuleTable.build(routes, 9).bytesUsed / count).toBeLessThan(80);
  });

  it("does not grow while the same names come and go", () => {
    const table = RuleTable.build(routes, 10);
    const before = table.bytesUsed;
    for (let round = 0; round < 20; round += 1) {
      table.apply(deleted(...routes.slice(0, 2000)));
      table.apply(created(...routes.slice(0, 2000)));
    }
    expectExactly(table, () => true);
    expect(table.bytesUsed).toBeLessThan(before * 1.3);
  });

  it("and its fork go their own ways", () => {
    const table = RuleTable.build(routes, 11);
    const fork = table.fork();
    fork.apply(deleted(...routes.slice(0, 5000)));
    table.apply(deleted(...routes.slice(15_000)));
    const again = fork.fork();
    fork.apply(created(...routes.slice(0, 100)));
    expectExactly(table, (index) => index < 15_000);
    expectExactly(fork, (index) => index < 100 || index >= 5000);
    expectExactly(again, (index) => index >= 5000);
    expect([table.nameCount, fork.nameCount, again.nameCount]).toEqual([15_000, 15_100, 15_000]);
  });
});
