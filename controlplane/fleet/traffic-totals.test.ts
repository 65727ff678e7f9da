import { expect, test } from "vitest";
import { type DeepPartial, Traffic, TrafficDelta } from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { Counts, NameBudget, namesPerNodeMax, otherName, TrafficTotals } from "./traffic-totals.ts";

const delta = (fields: DeepPartial<TrafficDelta>): TrafficDelta => TrafficDelta.fromPartial(fields);
const serverTraffic = (totals: TrafficTotals, name: string): Traffic => {
  const counts = new Counts();
  totals.addServerTo(counts, name);
  return counts.toWire();
};
const routesOf = (totals: TrafficTotals): [string, bigint | undefined][] =>
  totals.toWire().routes.map(({ route, traffic }) => [route, traffic?.connections]);

test("deltas are added by route, by server and by word; a node's sum is its routes and what none took", () => {
  const totals = new TrafficTotals(new NameBudget());
  const one = {
    connections: 2n,
    bytesFromClients: 10n,
    ended: { done: 2n },
    handshakes: { server_hello: 1n },
    resumptions: { offered: 2n, accepted: 1n },
  };
  const two = {
    connections: 3n,
    bytesFromServers: 5n,
    ended: { done: 1n, client_reset: 2n },
    resumptions: { offered: 1n, refused: 1n },
  };
  totals.add(delta({ routes: [{ route: "a", traffic: one }], servers: [{ server: "s", traffic: one }] }));
  totals.add(delta({ routes: [{ route: "a", traffic: two }, { route: "b" }], unrouted: { connections: 4n } }));
  expect(totals.all).toEqual({
    connections: 9n,
    bytesFromClients: 10n,
    bytesFromServers: 5n,
    ended: { done: 3n, client_reset: 2n },
    handshakes: { server_hello: 1n },
    resumptions: { offered: 3n, accepted: 1n, refused: 1n },
  });
  expect(routesOf(totals)).toEqual([["a", 5n]]);
  expect(serverTraffic(totals, "s")).toMatchObject({ connections: 2n, handshakes: { server_hello: 1n } });
  expect(serverTraffic(totals, "none")).toMatchObject({ connections: 0n });
});

test("above a limit names are merged, and the sums stay right", () => {
  const budget = new NameBudget(namesPerNodeMax + 2);
  const totals = new TrafficTotals(budget);
  const routes = Array.from({ length: namesPerNodeMax + 3 }, (_, index) => ({
    route: `r${index}`,
    traffic: { connections: 1n },
  }));
  totals.add(delta({ routes }));
  totals.add(delta({ routes: routes.slice(-1) }));
  expect(totals.size).toBe(namesPerNodeMax + 1);
  expect(routesOf(totals).at(-1)).toEqual([otherName, 4n]);
  expect(totals.all.connections).toBe(BigInt(routes.length + 1));
  const next = new TrafficTotals(budget);
  next.add(delta({ routes: ["x", "y", "z"].map((route) => ({ route, traffic: { connections: 1n } })) }));
  expect(routesOf(next)).toEqual([
    ["x", 1n],
    ["y", 1n],
    [otherName, 1n],
  ]);
  totals.release();
  const after = new TrafficTotals(budget);
  after.add(delta({ routes: [{ route: "again", traffic: { connections: 1n } }] }));
  expect(routesOf(after)).toEqual([["again", 1n]]);
});

test("words have a limit too", () => {
  const totals = new TrafficTotals(new NameBudget());
  for (let word = 0; word < 70; word += 1) totals.add(delta({ unrouted: { ended: { [`w${word}`]: 1n } } }));
  const { ended } = totals.all;
  expect(Object.keys(ended).length).toBe(65);
  expect(ended[otherName]).toBe(6n);
});

test("a sum that nobody can have meant still makes a message", () => {
  const totals = new TrafficTotals(new NameBudget());
  for (const _ of [1, 2])
    totals.add(delta({ unrouted: { connections: 2n ** 64n - 1n, ended: { done: 2n ** 64n - 1n } } }));
  expect(Traffic.decode(Traffic.encode(totals.all).finish())).toEqual(totals.all);
  expect(totals.all.connections).toBe(2n ** 64n - 1n);
});
