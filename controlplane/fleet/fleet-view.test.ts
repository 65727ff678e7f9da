import { expect, test } from "vitest";
import { NodeHello, NodeReport } from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { FleetView, nodesMax } from "./fleet-view.ts";

const log = { revision: 0, digestAt: () => undefined };
const hello = (nodeId: string) => NodeHello.fromPartial({ nodeId });
const idsOf = (view: FleetView): string[] => view.nodes(log).map(({ name }) => name);

/** A view with as many nodes as it takes: `n0`, `n1` ... */
function fullView() {
  const view = new FleetView();
  const sessions = Array.from({ length: nodesMax }, (_, index) => view.connect(hello(`n${index}`), 0) as symbol);
  return { view, sessions };
}

test("a node above the limit is turned away, one that comes again is not", () => {
  const { view } = fullView();
  expect(view.connect(hello("more"), 0)).toBeUndefined();
  expect(view.connect(hello("n7"), 0)).toBeDefined();
  expect(view.connectedCount).toBe(nodesMax);
  expect(view.node("more", log)).toBeUndefined();
});

test("the longest gone makes room, not the longest known", () => {
  const { view, sessions } = fullView();
  for (const index of [9, 3, 5]) view.disconnect(`n${index}`, sessions[index] as symbol);
  for (const [round, gone] of ["n9", "n3", "n5"].entries()) {
    expect(view.node(gone, log)).toMatchObject({ connected: false });
    expect(view.connect(hello(`new${round}`), 0)).toBeDefined();
    expect(view.node(gone, log)).toBeUndefined();
  }
  expect(view.connect(hello("one more"), 0)).toBeUndefined();
});

test("a session that was superseded neither reports nor ends anything", () => {
  const view = new FleetView();
  const [first, second] = [view.connect(hello("n"), 1), view.connect(hello("n"), 2)] as symbol[];
  view.report("n", first as symbol, NodeReport.fromPartial({ connections: 1n }), 3);
  view.disconnect("n", first as symbol);
  expect(view.node("n", log)).toMatchObject({ connected: true, connections: 0n });
  view.report("n", second as symbol, NodeReport.fromPartial({ connections: 2n }), 4);
  expect(view.node("n", log)).toMatchObject({ connections: 2n, lastReportTime: { seconds: 0n, nanos: 4_000_000 } });
  view.disconnect("n", second as symbol);
  expect(view.connectedCount).toBe(0);
});

test("nodes are shown by id, in whatever order they came", () => {
  const view = new FleetView();
  for (const id of ["b", "a-1", "a", "B"]) view.connect(hello(id), 0);
  expect(idsOf(view)).toEqual(["nodes/B", "nodes/a", "nodes/a-1", "nodes/b"]);
});

test("a server counts as failing where every node that reports says so, each once", () => {
  const view = new FleetView();
  const failing = (...servers: string[]) =>
    NodeReport.fromPartial({ serverHealth: servers.map((server) => ({ server, failing: true })) });
  expect([...view.failingServers()]).toEqual([]);
  const one = view.connect(hello("one"), 0) as symbol;
  const two = view.connect(hello("two"), 0) as symbol;
  view.report("one", one, failing("a", "a", "b"), 0);
  expect([...view.failingServers()]).toEqual(["a", "b"]);
  view.report("two", two, failing("b"), 0);
  expect([...view.failingServers()]).toEqual(["b"]);
  view.disconnect("two", two);
  expect([...view.failingServers()]).toEqual(["a", "b"]);
});
