import { expect, test } from "vitest";
import type { Server } from "../../model/resource.ts";
import {
  type DeepPartial,
  NodeHello,
  NodeReport,
  ServerHealthState,
  TrafficDelta,
} from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { written } from "../../test/support/arbitrary-resource.ts";
import { FleetView } from "./fleet-view.ts";
import { serverStatuses } from "./server-status.ts";

const name = "farms/web/servers/a";
const server = written({ server: { name, address: "app.internal:443", state: "SERVER_STATE_DRAIN" } }) as Server;
const at = (seconds: number) => ({ seconds: BigInt(seconds), nanos: 0 });

interface Told {
  readonly region: string;
  readonly report?: DeepPartial<NodeReport>;
  readonly gone?: boolean;
}

function fleet(nodes: readonly Told[]) {
  const view = new FleetView("cp-1");
  for (const [index, { region, report, gone }] of nodes.entries()) {
    const node = view.connect(NodeHello.fromPartial({ nodeId: `n${index}`, region }), 0);
    if (node === undefined) throw new Error("no room");
    if (report !== undefined) view.report(node, NodeReport.fromPartial({ digest: new Uint8Array(32), ...report }), 0);
    const traffic = { connections: 2n, resumptions: { offered: 2n, accepted: 1n } };
    view.traffic(node, TrafficDelta.fromPartial({ servers: [{ server: name, traffic }] }));
    if (gone === true) view.disconnect(node);
  }
  return view.sorted();
}
const live = (connections: bigint) => ({ serverConnections: [{ server: name, connections }] });
const health = (fields: object) => ({ serverHealth: [{ server: name, ...fields }] });
const statusOf = async (...nodes: readonly Told[]) => (await serverStatuses([server], fleet(nodes)))[0];

test("live connections are those of connected nodes, traffic and sessions those of all", async () => {
  expect(
    await statusOf(
      { region: "eu", report: live(3n) },
      { region: "eu", report: live(4n) },
      { region: "us", report: live(5n) },
      { region: "us", report: live(100n), gone: true },
      { region: "us" },
    ),
  ).toMatchObject({
    server: name,
    address: "app.internal:443",
    state: "drain",
    connections: 12n,
    regions: [
      { region: "eu", nodes: 2, connections: 7n, nodesFailing: 0 },
      { region: "us", nodes: 1, connections: 5n, nodesFailing: 0 },
    ],
    traffic: { connections: 10n, resumptions: { offered: 10n, accepted: 5n } },
  });
});

test("a failing server is shown with state, reason and detail; one that is not is not", async () => {
  const down = {
    failing: true,
    state: ServerHealthState.SERVER_HEALTH_STATE_DOWN,
    reason: "http_status",
    detail: "503",
    since: at(7),
  };
  const slow = { failing: false, state: ServerHealthState.SERVER_HEALTH_STATE_SLOW_START };
  const status = await statusOf({ region: "eu", report: health(down) }, { region: "eu", report: health(slow) });
  const { failing: _failing, ...shown } = down;
  expect(status?.regions).toMatchObject([{ nodes: 2, nodesFailing: 1, failing: [{ node: "nodes/n0", ...shown }] }]);
});

test("a node of an older version says that it fails, and no more", async () => {
  const status = await statusOf({ region: "eu", report: health({ failing: true, reason: "connect_refused" }) });
  expect(status?.regions[0]).toMatchObject({
    nodesFailing: 1,
    failing: [{ reason: "connect_refused", state: ServerHealthState.SERVER_HEALTH_STATE_UNSPECIFIED, detail: "" }],
    connections: 0n,
  });
});

test("of certificates the one that ends first is told", async () => {
  const seen = (seconds: number) => ({ region: "eu", report: health({ certificateExpiry: at(seconds) }) });
  expect((await statusOf(seen(9), seen(5), { region: "eu", report: health({}) }, seen(7)))?.certificateExpiry).toEqual(
    at(5),
  );
  expect((await statusOf({ region: "eu", report: health({}) }))?.certificateExpiry).toBeUndefined();
});

test("numbers that nobody can have meant still make a message", async () => {
  const most = live(2n ** 64n - 1n);
  expect(await statusOf({ region: "eu", report: most }, { region: "eu", report: most })).toMatchObject({
    connections: 2n ** 64n - 1n,
  });
});
