import { expect, test } from "vitest";
import type { Change } from "../../model/configuration.ts";
import type { Route } from "../../model/resource.ts";
import { written } from "../../test/support/arbitrary-resource.ts";
import { Routing } from "./routing.ts";

const listener = written({ listener: { name: "listeners/edge", addresses: ["127.0.0.1:443"] } });
const farm = (id: string) => written({ farm: { name: `farms/${id}` } });
const route = (index: number, to: string): Route =>
  written({
    route: {
      name: `listeners/edge/routes/r${index}`,
      match: { serverNames: [`n${index}.test`] },
      action: { farm: `farms/${to}` },
    },
  }) as Route;
const count = 5000;
const noNarrowing = { alpnIndex: () => -1, source: null };

function farmOfName(routing: Routing, index: number): string | undefined {
  const nameBytes = new TextEncoder().encode(`n${index}.test`);
  const choice = routing.choose("listeners/edge", { nameBytes, nameLength: nameBytes.length }, noNarrowing);
  return choice?.action.to === "farm" ? choice.action.farm : undefined;
}

test("a commit of thousands of routes gives way to decisions, which see all of it or nothing", () => {
  const routing = new Routing(1);
  const added = [listener, farm("old"), farm("new")].map((after): Change => ({ before: null, after }));
  const old = Array.from({ length: count }, (_, index) => route(index, "old"));
  routing.apply([...added, ...old.map((after): Change => ({ before: null, after }))]);
  const changes = old.map((before, index): Change => ({ before, after: route(index, "new") }));
  const steps = routing.applying(changes);
  let pauses = 0;
  while (steps.next().done !== true) {
    pauses += 1;
    for (const index of [0, count / 2, count - 1]) expect(farmOfName(routing, index)).toBe("farms/old");
  }
  expect(pauses).toBeGreaterThanOrEqual(9);
  for (const index of [0, count / 2, count - 1]) expect(farmOfName(routing, index)).toBe("farms/new");
  expect(routing.size().names).toBe(count);
});
