import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DigestMatch, FeedState } from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import type { Node } from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import type { FakeControlPlane } from "./fake-control-plane.ts";
import { answering, fakeControlPlane } from "./fake-control-plane.ts";
import { runVerb } from "./run-verb.ts";

describe("the fleet is shown as the control plane sees it", () => {
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
  };
  const drifted: Node = {
    ...node,
    name: "nodes/n2",
    revision: 5n,
    lag: 2n,
    connected: false,
    digestMatch: DigestMatch.DIGEST_MATCH_DIFFERENT,
    degraded: [{ name: "listeners/edge", reason: "address_in_use", detail: "127.0.0.1:443", revision: 5n }],
    serverHealth: [
      { server: "farms/web/servers/a", failing: true, reason: "refused", since: { seconds: 1_795_351_800n, nanos: 0 } },
      { server: "farms/web/servers/b", failing: false, reason: "", since: undefined },
    ],
  };
  const fleet = {
    listNodes: answering(({ pageToken }: { pageToken: string }) =>
      pageToken === ""
        ? { nodes: [node], nextPageToken: "more", revision: 7n }
        : { nodes: [drifted], nextPageToken: "", revision: 7n },
    ),
    listCommits: answering(() => ({ commits: [], nextPageToken: "" })),
  };

  let running: FakeControlPlane;
  beforeEach(async () => {
    running = await fakeControlPlane(fleet);
  });
  afterEach(() => {
    running.close();
  });

  it("the state of each node, and below it what they could not carry out", async () => {
    const { stdout } = await runVerb(["status"], { server: running.address });
    expect(stdout.split("\n").slice(2)).toEqual([
      "nodes           1 connected, 1 of them at revision 7; 1 LOST",
      "",
      "NAME       REGION   STATE       REVISION   LAG   DIGEST      CONNECTIONS   DEGRADED   FAILING   ENGINE   VERSION   LAST REPORT",
      "nodes/n1   eu       connected   7          0     equal       12            0          0         native   0.1.0     2026-11-22 12:51:36Z",
      "nodes/n2   eu       LOST        5          2     DIFFERENT   12            1          1         native   0.1.0     2026-11-22 12:51:36Z",
      "",
      "NODE       OBJECT                REASON           DETAIL",
      "nodes/n2   listeners/edge        address_in_use   127.0.0.1:443",
      "nodes/n2   farms/web/servers/a   refused          failing since 2026-11-22 12:50:00Z",
      "",
    ]);
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
