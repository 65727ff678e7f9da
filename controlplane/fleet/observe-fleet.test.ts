import { expect, test } from "vitest";
import { NodeHello, NodeReport, TrafficDelta } from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { FleetView } from "./fleet-view.ts";
import { observeFleet } from "./observe-fleet.ts";

const hello = (bootId = "one"): NodeHello =>
  NodeHello.fromPartial({ nodeId: "n1", region: "east", labels: { rack: "7" }, bootId });
const digest = new Uint8Array(32).fill(3);

type Counts = Readonly<Record<string, number | undefined>>;

const wire = (counts: Counts): Record<string, bigint> =>
  Object.fromEntries(Object.entries(counts).map(([word, count]) => [word, BigInt(count ?? 0)]));

function delta(ended: Counts, handshakes: Counts): TrafficDelta {
  const traffic = { ended: wire(ended), handshakes: wire(handshakes) };
  return TrafficDelta.fromPartial({ routes: [{ route: "listeners/a/routes/b", traffic }] });
}

test("a node that has only said who it is serves nothing yet", () => {
  const view = new FleetView("one");
  view.connect(hello(), 0);
  expect(observeFleet(view)).toEqual([
    {
      identity: { id: "n1", region: "east", labels: { rack: "7" } },
      reachable: true,
      bootId: "one",
      revision: 0,
      digest: new Uint8Array(0),
      refused: null,
      failing: new Set(),
      counters: { connects: 0, connectFailures: 0, handshakes: 0, handshakeFailures: 0 },
    },
  ]);
});

test("what it reports is seen: of what it can't do the newest, and no full disk, which is no revision's fault", () => {
  const view = new FleetView("one");
  const node = view.connect(hello(), 0)!;
  const degraded = [
    { name: "state_dir", reason: "disk_full", detail: "", revision: 9n },
    { name: "listeners/a", reason: "address_in_use", detail: "0.0.0.0:443", revision: 7n },
    { name: "listeners/b", reason: "permission_denied", detail: "", revision: 4n },
  ];
  const serverHealth = [
    { server: "farms/a/servers/1", failing: true },
    { server: "farms/a/servers/2", failing: false },
  ];
  view.report(node, NodeReport.fromPartial({ revision: 7n, digest, degraded, serverHealth }), 1);
  expect(observeFleet(view)).toMatchObject([
    {
      revision: 7,
      digest,
      refused: { revision: 7, detail: "listeners/a: address_in_use (0.0.0.0:443)" },
      failing: new Set(["farms/a/servers/1"]),
    },
  ]);
});

test.each([
  [{ done: 5, client_reset: 1, server_idle: 1 }, {}, [7, 0, 0, 0]],
  [{ connect_failed: 1, connect_timeout: 2, no_server: 3, queue_full: 4, queue_timeout: 5 }, {}, [15, 15, 0, 0]],
  // No server was sought, or the node ended what was there before.
  [{ no_route: 1, route_reject: 1, hello_timeout: 1, not_tls: 1, client_gone: 1, shutdown: 1 }, {}, [0, 0, 0, 0]],
  [{}, { server_hello: 8, hello_retry: 1 }, [0, 0, 9, 0]],
  [{}, { server_hello: 1, alert: 1, other: 2, nothing: 3 }, [0, 0, 7, 6]],
])("connections that ended as %j with answers %j count as %j", (ended, handshakes, counts) => {
  const view = new FleetView("one");
  const node = view.connect(hello(), 0)!;
  view.traffic(node, delta(ended, handshakes));
  expect(observeFleet(view).map(({ counters }) => Object.values(counters))).toEqual([counts]);
});

test("a node without news is the same value as before, and each change makes another one", () => {
  const view = new FleetView("one");
  const node = view.connect(hello(), 0)!;
  const [first] = observeFleet(view);
  expect(observeFleet(view)[0]).toBe(first);
  view.report(node, NodeReport.fromPartial({ revision: 1n, digest }), 1);
  const [second] = observeFleet(view);
  expect(second).not.toBe(first);
  view.disconnect(node);
  expect(observeFleet(view)).toMatchObject([{ reachable: false, revision: 1, bootId: "one" }]);
  view.connect(hello("two"), 2);
  expect(observeFleet(view)).toMatchObject([{ reachable: true, bootId: "two" }]);
});
