import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  DigestMatch,
  FeedState,
  ServerHealth,
  ServerStatus,
} from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import type { Node } from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { fleetLine, nodesText, summariesOf } from "../../cli/output/fleet-text.ts";
import { nodeTable, stateText, wantsAttention } from "../../cli/output/node-table.ts";
import type { FakeControlPlane } from "./fake-control-plane.ts";
import { answering, fakeControlPlane } from "./fake-control-plane.ts";
import { runVerb } from "./run-verb.ts";

describe("the fleet is shown as the control plane sees it", () => {
  const since = { seconds: 1_795_351_800n, nanos: 0 };
  const node: Node = {
    name: "nodes/n1",
    region: "eu",
    labels: {},
    bootId: "b",
    softwareVersion: "0.1.0",
    engine: "native",
    revision: 7n,
    digest: randomBytes(32),
    digestMatch: DigestMatch.DIGEST_MATCH_EQUAL,
    lag: 0n,
    connections: 12n,
    degraded: [],
    connected: true,
    lastReportTime: { seconds: 1_795_351_896n, nanos: 0 },
    serverHealth: [],
    epoch: 1n,
    feed: FeedState.FEED_STATE_FOLLOWING,
    draining: false,
    ready: true,
    replica: "cp-1",
    traffic: undefined,
    effectiveRevision: 7n,
    logRevision: 7n,
  };
  const drifted: Node = {
    ...node,
    name: "nodes/n2",
    revision: 5n,
    logRevision: 5n,
    lag: 2n,
    connected: false,
    digestMatch: DigestMatch.DIGEST_MATCH_DIFFERENT,
    degraded: [{ name: "listeners/edge", reason: "address_in_use", detail: "127.0.0.1:443", revision: 5n }],
    serverHealth: [
      ServerHealth.fromPartial({ server: "farms/web/servers/a", failing: true, reason: "refused", since }),
      ServerHealth.fromPartial({ server: "farms/web/servers/b" }),
    ],
  };
  const quietServer = ServerStatus.fromPartial({
    server: "farms/api/servers/b",
    address: "10.0.0.2:443",
    state: "drain",
  });
  const failingServer = ServerStatus.fromPartial({
    server: "farms/web/servers/a",
    address: "10.0.0.1:443",
    state: "ready",
    regions: [
      {
        region: "eu",
        nodes: 3,
        nodesFailing: 2,
        failing: [{ node: "nodes/n1", reason: "tls_alert", detail: "unknown_ca\u001B[2J", since, state: 2 }],
        connections: 4n,
      },
      { region: "us", nodes: 1, nodesFailing: 0, failing: [] },
      // As nodes of the first version tell it.
      { region: "old", nodes: 1, nodesFailing: 1, failing: [{ node: "nodes/o", reason: "connect_refused", since }] },
    ],
    traffic: { connections: 7n, bytesFromClients: 1n, bytesFromServers: 2n },
    connections: 4n,
  });
  const fleet = {
    listNodes: answering(({ pageToken }: { pageToken: string }) =>
      pageToken === ""
        ? { nodes: [node], nextPageToken: "more", revision: 7n }
        : { nodes: [drifted], nextPageToken: "", revision: 7n },
    ),
    listCommits: answering(() => ({ commits: [], nextPageToken: "" })),
    getFleet: answering(() => ({
      revision: 7n,
      epoch: 1n,
      replicas: ["cp-1", "cp-2"],
      regions: [
        {
          region: "eu",
          nodes: 2,
          connected: 1,
          ready: 1,
          current: 1,
          different: 0,
          degraded: 0,
          connections: 12n,
          lagMax: 0n,
        },
      ],
    })),
    listServerStatuses: answering(({ farm, pageToken }: { farm: string; pageToken: string }) =>
      farm === "farms/web" || pageToken === "more"
        ? { servers: [failingServer], nextPageToken: "" }
        : { servers: [quietServer], nextPageToken: "more" },
    ),
  };

  let running: FakeControlPlane;
  beforeEach(async () => {
    running = await fakeControlPlane(fleet);
  });
  afterEach(() => {
    running.close();
  });

  it("regions, the state of each node, and below it what they could not carry out", async () => {
    const { stdout } = await runVerb(["status"], { server: running.address });
    expect(stdout.split("\n")).toEqual([
      `control plane   ${running.address}, reachable; replicas cp-1, cp-2`,
      "revision        0: nothing has been committed yet",
      "nodes           1 connected, 1 of them at revision 7; 1 LOST",
      "",
      "REGION   NODES   CONNECTED   READY   CURRENT   DIFFERENT   DEGRADED   LAG   CONNECTIONS",
      "eu       2       1           1       1         0           0          0     12",
      "",
      "NAME       REGION   STATE       REVISION   LAG   DIGEST      CONNECTIONS   DEGRADED   FAILING   ENGINE   VERSION   LAST REPORT",
      "nodes/n1   eu       connected   7          0     equal       12            0          0         native   0.1.0     2026-11-22 12:51:36Z",
      "nodes/n2   eu       LOST        5->7       2     DIFFERENT   12            1          1         native   0.1.0     2026-11-22 12:51:36Z",
      "",
      "NODE       OBJECT                REASON           DETAIL",
      "nodes/n2   listeners/edge        address_in_use   127.0.0.1:443",
      "nodes/n2   farms/web/servers/a   refused          failing since 2026-11-22 12:50:00Z",
      "",
    ]);
  });

  it("servers with their health by region and node, all pages of them", async () => {
    const { stdout } = await runVerb(["get", "servers", "--health"], { server: running.address });
    expect(stdout.split("\n")).toEqual([
      "NAME                  ADDRESS        STATE   REGION   HEALTH              SINCE                  REASON                           SEEN BY            LIVE   TOTAL   CERTIFICATE",
      "farms/api/servers/b   10.0.0.2:443   drain   -        no nodes            -                      -                                -                  -      0       -",
      "farms/web/servers/a   10.0.0.1:443   ready   eu       down on 2 of 3      2026-11-22 12:50:00Z   tls_alert: unknown_ca\\u001b[2J   n1 and 1 unnamed   4      7       -",
      "farms/web/servers/a   10.0.0.1:443   ready   us       up                  -                      -                                -                  0      7       -",
      "farms/web/servers/a   10.0.0.1:443   ready   old      failing on 1 of 1   2026-11-22 12:50:00Z   connect_refused                  o                  0      7       -",
      "",
    ]);
    const named = await runVerb(["get", "server", "web/a", "--health", "-o", "json"], { server: running.address });
    expect(JSON.parse(named.stdout)).toMatchObject({
      servers: [{ server: "farms/web/servers/a", regions: [{ nodesFailing: 2 }, { region: "us" }, { region: "old" }] }],
    });
    expect(await runVerb(["get", "server", "web/none", "--health"], { server: running.address })).toEqual({
      code: 1,
      stdout: "",
      stderr: "switchyard: there is no farms/web/servers/none\n",
    });
    expect((await runVerb(["get", "farms", "--health"], { server: running.address })).code).toBe(2);
  });

  it("during a rollout, where each node belongs, and how far it has followed the log", () => {
    const nodes: Node[] = [
      { ...node, revision: 7n, effectiveRevision: 9n, logRevision: 11n },
      { ...node, name: "nodes/n2", revision: 7n, effectiveRevision: 7n, logRevision: 11n },
      // Of an older version: it does not say.
      { ...node, name: "nodes/n3", effectiveRevision: 0n, logRevision: 0n },
      { ...node, name: "nodes/n4", connected: false, effectiveRevision: 8n },
    ];
    const rows = nodeTable(nodes)
      .split("\n")
      .map((row) => row.split(/ {2,}/).slice(3, 6).join(" "));
    expect(rows.slice(0, 5)).toEqual(["REVISION LOG LAG", "7->9 11 0", "7 11 0", "7 - 0", "7->8 7 0"]);
    expect(nodeTable(nodes.slice(2))).not.toContain(" LOG ");
    expect(summariesOf(nodes)).toMatchObject([{ nodes: 4, connected: 3, current: 2 }]);
    expect(fleetLine(summariesOf(nodes), nodes, 11n)).toBe(
      "3 connected, 2 of them where they belong: 1 at revision 9, 1 at 7; 1 LOST",
    );
    expect(fleetLine(summariesOf(nodes.slice(1)), nodes.slice(1), 11n)).toMatch(
      /^2 connected, 2 of them at revision 7/,
    );
    expect(fleetLine(summariesOf([]), [], 11n)).toBe("none has reported");
  });

  it.each<[string, Partial<Node>]>([
    ["LOST", { connected: false, ready: false }],
    ["starting", { digestMatch: DigestMatch.DIGEST_MATCH_UNSPECIFIED, ready: false }],
    ["draining", { draining: true, ready: false }],
    ["NOT READY", { ready: false }],
    ["LOG LOST", { feed: FeedState.FEED_STATE_DISCONNECTED }],
    ["LOG SILENT", { feed: FeedState.FEED_STATE_SILENT }],
    ["connected", { feed: FeedState.FEED_STATE_UNSPECIFIED }],
  ])("the first of what is the matter with a node: %s", (text, fields) => {
    expect(stateText({ ...node, ...fields })).toBe(text);
    expect(wantsAttention({ ...node, ...fields })).toBe(text !== "connected");
  });

  it("of a large fleet, only the nodes that somebody should look at", () => {
    const many = Array.from({ length: 30 }, (_, index) => ({ ...node, name: `nodes/ok${index}` }));
    expect(nodesText([...many, drifted])).not.toContain("nodes/ok");
    expect(nodesText([...many, drifted])).toContain("nodes/n2   eu       LOST");
    expect(nodesText(many)).toBe("");
    const lost = Array.from({ length: 60 }, (_, index) => ({ ...drifted, name: `nodes/lost${index}` }));
    expect(nodesText(lost)).toContain("and 10 more: switchyard get nodes\n");
  });

  it("nodes in protobuf JSON form", async () => {
    const { stdout } = await runVerb(["get", "nodes", "-o", "json"], { server: running.address });
    expect(JSON.parse(stdout)).toMatchObject({
      nodes: [
        { name: "nodes/n1", digestMatch: "DIGEST_MATCH_EQUAL" },
        { name: "nodes/n2", lag: "2" },
      ],
    });
  });
});
