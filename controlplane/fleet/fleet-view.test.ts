import { describe, expect, test } from "vitest";
import { timestampToWire } from "../../model/wire/timestamp.ts";
import {
  type DeepPartial,
  NodeHello,
  NodeReport,
  TrafficDelta,
} from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { nothingReleased } from "../../model/releases.ts";
import { FleetUpdate, type FleetNode as ToldNode } from "../../proto/gen/switchyard/log/v1/log.ts";
import type { FleetNode } from "./fleet-node.ts";
import { FleetView, nodesMax } from "./fleet-view.ts";

const log = { epoch: 0, revision: 0, releases: nothingReleased, digestAt: () => undefined };
const hello = (nodeId: string, bootId = "") => NodeHello.fromPartial({ nodeId, bootId });
const digest = new Uint8Array(32);
const report = (fields: DeepPartial<NodeReport>) => NodeReport.fromPartial({ digest, ...fields });
const idsOf = (view: FleetView): string[] => view.sorted().map(({ id }) => id);
const connect = (view: FleetView, id: string, nowMs = 0, bootId = ""): FleetNode => {
  const node = view.connect(hello(id, bootId), nowMs);
  if (node === undefined) throw new Error(`no room for ${id}`);
  return node;
};

/** A view with as many nodes as it takes: `n0`, `n1` ... */
function fullView() {
  const view = new FleetView("cp-1");
  const sessions = Array.from({ length: nodesMax }, (_, index) => connect(view, `n${index}`));
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
  for (const index of [9, 3, 5]) view.disconnect(sessions[index] as FleetNode);
  for (const [round, gone] of ["n9", "n3", "n5"].entries()) {
    const { forgottenCount } = view;
    expect(view.node(gone, log)).toMatchObject({ connected: false });
    expect(view.connect(hello(`new${round}`), 0)).toBeDefined();
    expect(view.node(gone, log)).toBeUndefined();
    expect(view.forgottenCount).toBeGreaterThan(forgottenCount);
  }
  expect(view.connect(hello("one more"), 0)).toBeUndefined();
});

test("a session that was superseded neither reports nor ends anything", () => {
  const view = new FleetView("cp-1");
  const first = connect(view, "n", 1);
  const second = connect(view, "n", 2);
  view.report(first, report({ connections: 1n }), 3);
  view.traffic(first, TrafficDelta.fromPartial({ unrouted: { connections: 1n } }));
  view.disconnect(first);
  expect(view.node("n", log)).toMatchObject({ connected: true, connections: 0n, traffic: { connections: 0n } });
  view.report(second, report({ connections: 2n }), 4);
  expect(view.node("n", log)).toMatchObject({ connections: 2n, lastReportTime: { seconds: 0n, nanos: 4_000_000 } });
  view.disconnect(second);
  expect(view.connectedCount).toBe(0);
});

test("nodes are shown by id, in whatever order they came", () => {
  const view = new FleetView("cp-1");
  for (const id of ["b", "a-1", "a", "B"]) connect(view, id);
  expect(idsOf(view)).toEqual(["B", "a", "a-1", "b"]);
});

test("a server counts as failing where every node that reports says so, each once", () => {
  const view = new FleetView("cp-1");
  const failing = (...servers: string[]) =>
    report({ serverHealth: servers.map((server) => ({ server, failing: true })) });
  expect([...view.failingServers()]).toEqual([]);
  const one = connect(view, "one");
  const two = connect(view, "two");
  view.report(one, failing("a", "a", "b"), 0);
  expect([...view.failingServers()]).toEqual(["a", "b"]);
  view.report(two, failing("b"), 0);
  expect([...view.failingServers()]).toEqual(["b"]);
  view.disconnect(two);
  expect([...view.failingServers()]).toEqual(["a", "b"]);
});

test("a digest that is remembered does not keep the message that it came in", () => {
  const view = new FleetView("cp-1");
  const node = connect(view, "n");
  const message = new Uint8Array(1000).fill(7);
  view.report(node, report({ digest: message.subarray(10, 42) }), 0);
  const first = node.report?.digest;
  expect(first?.buffer.byteLength).toBe(32);
  view.report(node, report({ digest: message.subarray(50, 82) }), 0);
  expect(node.report?.digest).toBe(first);
  message.fill(8);
  view.report(node, report({ digest: message.subarray(10, 42) }), 0);
  expect(node.report?.digest).toEqual(new Uint8Array(32).fill(8));
});

describe("nodes of other replicas", () => {
  const told = (id: string, more: DeepPartial<ToldNode> & { atMs?: number } = {}): DeepPartial<ToldNode> => {
    const { atMs = 0, ...fields } = more;
    return { hello: { nodeId: id }, connected: true, lastReportTime: timestampToWire(atMs), ...fields };
  };
  const update = (replica: string, nodes: DeepPartial<ToldNode>[], complete = false) =>
    FleetUpdate.fromPartial({ replica, nodes, complete });
  const states = (view: FleetView): string[] =>
    view.sorted().map(({ id, replica, connected }) => `${id}@${replica}${connected ? "" : " gone"}`);

  test("are shown beside one's own; what is said under one's own name is not heard", () => {
    const view = new FleetView("cp-1");
    connect(view, "b");
    view.hear(update("cp-2", [told("a"), told("c", { connected: false })]));
    view.hear(update("cp-1", [told("d")]));
    expect(states(view)).toEqual(["a@cp-2", "b@cp-1", "c@cp-2 gone"]);
    expect(view.connectedCount).toBe(1);
  });

  test("a complete update forgets what that replica does not tell any more, and nobody else's", () => {
    const view = new FleetView("cp-1");
    connect(view, "own");
    view.hear(update("cp-2", [told("a"), told("b")]));
    view.hear(update("cp-3", [told("c")]));
    view.hear(update("cp-2", [told("b")]));
    expect(idsOf(view)).toEqual(["a", "b", "c", "own"]);
    const { forgottenCount } = view;
    view.hear(update("cp-2", [told("b")], true));
    expect(idsOf(view)).toEqual(["b", "c", "own"]);
    expect(view.forgottenCount).toBeGreaterThan(forgottenCount);
  });

  test("a silent replica's nodes are gone until somebody has them again", () => {
    const view = new FleetView("cp-1");
    view.hear(update("cp-2", [told("a"), told("b")]));
    view.hear(update("cp-3", [told("c")]));
    const { sequence } = view;
    view.lose("cp-2");
    expect(states(view)).toEqual(["a@cp-2 gone", "b@cp-2 gone", "c@cp-3"]);
    expect(view.find("a")?.changedAt).toBeGreaterThan(sequence);
    connect(view, "a");
    view.hear(update("cp-3", [told("b")]));
    expect(states(view)).toEqual(["a@cp-1", "b@cp-3", "c@cp-3"]);
    view.hear(update("cp-2", [], true));
    expect(states(view)).toEqual(["a@cp-1", "b@cp-3", "c@cp-3"]);
  });

  const moves: readonly (readonly [string, (view: FleetView) => void, string])[] = [
    [
      "from here to there",
      (view) => {
        view.disconnect(connect(view, "n", 9));
        view.hear(update("cp-2", [told("n", { atMs: 1 })]));
      },
      "n@cp-2",
    ],
    [
      "from there to here, before there is told that it left",
      (view) => {
        view.hear(update("cp-2", [told("n", { atMs: 1 })]));
        connect(view, "n", 2);
        view.hear(update("cp-2", [told("n", { atMs: 1 })], true));
      },
      "n@cp-1",
    ],
    [
      "from there to here, and there says so",
      (view) => {
        connect(view, "n", 2);
        view.hear(update("cp-2", [told("n", { atMs: 9, connected: false })]));
      },
      "n@cp-1",
    ],
    [
      "from one to another",
      (view) => {
        view.hear(update("cp-2", [told("n", { atMs: 1 })]));
        view.hear(update("cp-3", [told("n", { atMs: 2 })]));
        view.hear(update("cp-2", [told("n", { atMs: 1 })]));
      },
      "n@cp-3",
    ],
    [
      "from one to another that is heard first",
      (view) => {
        view.hear(update("cp-3", [told("n", { atMs: 2 })]));
        view.hear(update("cp-2", [told("n", { atMs: 3, connected: false })]));
      },
      "n@cp-3",
    ],
    [
      "while the session here is dead and not known to be: the later report counts",
      (view) => {
        connect(view, "n", 1);
        view.hear(update("cp-2", [told("n", { atMs: 2 })]));
      },
      "n@cp-2",
    ],
  ];
  test.each(moves)("a node that moves is shown once: %s", (_what, happen, shown) => {
    const view = new FleetView("cp-1");
    happen(view);
    expect(states(view)).toEqual([shown]);
  });

  test("a node's sums go on where it moves, and begin anew with its process", () => {
    const view = new FleetView("cp-1");
    const delta = TrafficDelta.fromPartial({ routes: [{ route: "r", traffic: { connections: 2n } }] });
    const connections = (): bigint | undefined => view.node("n", log)?.traffic?.connections;
    const first = connect(view, "n", 1, "boot");
    view.traffic(first, delta);
    view.disconnect(first);
    view.traffic(connect(view, "n", 2, "boot"), delta);
    expect(connections()).toBe(4n);
    view.disconnect(view.find("n") as FleetNode);
    view.hear(update("cp-2", [told("n", { hello: { nodeId: "n", bootId: "boot" }, atMs: 3 })]));
    expect(connections()).toBe(4n);
    const traffic = { unrouted: { connections: 7n } };
    view.hear(update("cp-2", [told("n", { hello: { nodeId: "n", bootId: "boot" }, atMs: 4, traffic })]));
    expect(connections()).toBe(7n);
    const back = connect(view, "n", 5, "boot");
    view.traffic(back, delta);
    expect(connections()).toBe(9n);
    connect(view, "n", 6, "another boot");
    expect(connections()).toBe(0n);
  });

  test("no more are kept than one's own may be", () => {
    const view = new FleetView("cp-1");
    view.hear(
      update(
        "cp-2",
        Array.from({ length: nodesMax }, (_, index) => told(`n${index}`)),
      ),
    );
    view.hear(update("cp-3", [told("more")]));
    expect(view.find("more")).toBeUndefined();
    view.hear(update("cp-2", [told("n5", { connected: false })]));
    view.hear(update("cp-3", [told("more")]));
    expect(view.find("more")).toBeDefined();
    expect(view.find("n5")).toBeUndefined();
  });

  test("what a node may not say is not taken from a replica either", () => {
    const view = new FleetView("cp-1");
    view.hear(update("cp-2", [told("a/b"), told("n", { report: { digest: new Uint8Array(3) } }), { connected: true }]));
    expect(idsOf(view)).toEqual([]);
  });
});
