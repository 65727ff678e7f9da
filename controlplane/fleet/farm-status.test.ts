import { expect, test } from "vitest";
import { origin } from "../../model/commit.ts";
import { Configuration } from "../../model/configuration.ts";
import {
  type DeepPartial,
  NodeHello,
  NodeReport,
  TrafficDelta,
} from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { written } from "../../test/support/arbitrary-resource.ts";
import { farmStatuses, findingNodesMax } from "./farm-status.ts";
import { FleetView } from "./fleet-view.ts";

const resources = [
  { farm: { name: "farms/web" } },
  { server: { name: "farms/web/servers/a", address: "192.0.2.1:443" } },
  { server: { name: "farms/web/servers/b", address: "192.0.2.2:443" } },
].map(written);
const configuration = Configuration.restore(origin, resources);

interface Told {
  readonly report?: DeepPartial<NodeReport>;
  readonly servers?: DeepPartial<TrafficDelta["servers"]>;
  readonly gone?: boolean;
}

function farm(...nodes: readonly Told[]) {
  const view = new FleetView("cp-1");
  for (const [index, { report, servers, gone }] of nodes.entries()) {
    const node = view.connect(NodeHello.fromPartial({ nodeId: `n${String(index).padStart(3, "0")}` }), 0);
    if (node === undefined) throw new Error("no room");
    view.report(node, NodeReport.fromPartial({ digest: new Uint8Array(32), ...report }), 0);
    view.traffic(node, TrafficDelta.fromPartial({ servers: servers ?? [] }));
    if (gone === true) view.disconnect(node);
  }
  return farmStatuses([{ farm: "farms/web", servers: 2 }], configuration, view.sorted());
}
const affinity = (finding: string, ticketNames: bigint, sentence = finding) => ({
  farmAffinity: [{ farm: "farms/web", finding, sentence, ticketNames }],
});

test("a farm has the sums of its servers, deleted ones among them, and nobody else's", async () => {
  const traffic = { connections: 2n, resumptions: { offered: 2n, refused: 1n } };
  const servers = [
    "farms/web/servers/a",
    "farms/web/servers/gone",
    "farms/other/servers/a",
    "(other)",
    "farms/web",
  ].map((server) => ({ server, traffic }));
  const serverConnections = servers.map(({ server }) => ({ server, connections: 3n }));
  expect(await farm({ servers, report: { serverConnections } }, { servers, report: {}, gone: true })).toMatchObject([
    {
      farm: "farms/web",
      servers: 2,
      serversFailing: 0,
      connections: 6n,
      traffic: { connections: 8n, resumptions: { offered: 8n, refused: 4n } },
      affinity: [],
    },
  ]);
});

test("a server fails for its farm where one connected node says so, and counts once", async () => {
  const serverHealth = ["farms/web/servers/a", "farms/web/servers/gone", "nonsense"].map((server) => ({
    server,
    failing: true,
  }));
  const up = { serverHealth: [{ server: "farms/web/servers/b", failing: false }] };
  expect(await farm({ report: { serverHealth } }, { report: { serverHealth } }, { report: up })).toMatchObject([
    { serversFailing: 1 },
  ]);
  expect(await farm({ report: { serverHealth }, gone: true })).toMatchObject([{ serversFailing: 0 }]);
});

test("each finding is told once, in the words of the node that knows most, the commonest first", async () => {
  const [status] = await farm(
    { report: affinity("learning", 0n) },
    { report: affinity("key_per_server", 2n, "two") },
    { report: affinity("key_per_server", 4n, "four") },
    { report: affinity("key_per_server", 3n, "three") },
    { report: affinity("shared_keys", 9n), gone: true },
  );
  expect(status?.affinity).toMatchObject([
    { affinity: { finding: "key_per_server", sentence: "four" }, nodes: ["nodes/n001", "nodes/n002", "nodes/n003"] },
    { affinity: { finding: "learning" }, nodes: ["nodes/n000"] },
  ]);
});

test("of many nodes only the first are named", async () => {
  const [status] = await farm(
    ...Array.from({ length: findingNodesMax + 5 }, () => ({ report: affinity("no_key_name", 0n) })),
  );
  expect(status?.affinity[0]?.nodes).toHaveLength(findingNodesMax);
});
