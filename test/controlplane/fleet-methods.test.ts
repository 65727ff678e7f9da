import { credentials, status } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  type DeepPartial,
  FeedState,
  FleetServiceClient,
  type GetFleetResponse,
  type NodeReport,
  WatchFleetRequest,
  type WatchFleetResponse,
} from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { NodeSession } from "./node-session.ts";
import { RecordedStream } from "./recorded-stream.ts";
import { RunningControlPlane, wire } from "./running-control-plane.ts";

let running: RunningControlPlane;
let ends: (() => void)[];
beforeEach(async () => {
  running = await RunningControlPlane.start();
  ends = [];
});
afterEach(async () => {
  for (const end of ends) end();
  await running.close();
});

function open(): NodeSession {
  const session = new NodeSession(running.address);
  ends.push(() => session.cancel());
  return session;
}

function watch(request: DeepPartial<WatchFleetRequest> = {}): RecordedStream<WatchFleetResponse> {
  const client = new FleetServiceClient(running.address, credentials.createInsecure());
  const stream = new RecordedStream(client.watchFleet(WatchFleetRequest.fromPartial(request)), client);
  ends.push(() => stream.cancel());
  return stream;
}

const report: DeepPartial<NodeReport> = {
  digest: new Uint8Array(32),
  feed: FeedState.FEED_STATE_FOLLOWING,
  ready: true,
};

/** Asks until the answer holds: reports have no answer that could be waited for. */
async function answerThat<Answer>(ask: () => Promise<Answer>, holds: (answer: Answer) => boolean): Promise<Answer> {
  for (;;) {
    const answer = await ask();
    if (holds(answer)) return answer;
  }
}
const digestNow = async (): Promise<Uint8Array> => {
  const state = running.state(0n);
  await state.ended();
  const part = state.messages[0]?.part;
  return part?.$case === "header" ? part.value.digest : new Uint8Array(0);
};

test("the fleet is counted by region, and what is wrong in it beside", async () => {
  const digestBefore = await digestNow();
  await running.config.createFarm({ farm: { name: "farms/web" } });
  const digest = await digestNow();
  const sound = { ...report, revision: 1n, digest, connections: 2n };
  const nodes: readonly (readonly [string, string, DeepPartial<NodeReport> | undefined])[] = [
    ["a", "eu", sound],
    ["b", "eu", { ...sound, ready: false, degraded: [{ name: "listeners/edge" }] }],
    ["c", "eu", { ...sound, revision: 0n, digest: digestBefore, connections: 3n }],
    ["d", "eu", { ...sound, digest: digestBefore }],
    // An older node says neither how it hears of commits nor whether it is ready.
    ["e", "us", { ...sound, feed: FeedState.FEED_STATE_UNSPECIFIED, ready: false }],
    ["f", "us", undefined],
  ];
  for (const [id, region, said] of nodes) {
    const session = await open().hello(id, { region }).welcomed();
    if (said !== undefined) session.report(said);
  }
  const gone = await open().hello("g", { region: "us" }).welcomed();
  gone.report(sound).finish();
  await gone.ended();
  const total = ({ regions }: GetFleetResponse): bigint => regions.reduce((sum, one) => sum + one.connections, 0n);
  expect(
    await answerThat(
      () => running.fleet.getFleet({}),
      (fleet) => total(fleet) === 11n,
    ),
  ).toEqual({
    revision: 1n,
    epoch: expect.any(BigInt) as bigint,
    replicas: ["embedded"],
    regions: [
      {
        region: "eu",
        nodes: 4,
        connected: 4,
        ready: 3,
        current: 2,
        different: 1,
        degraded: 1,
        connections: 9n,
        lagMax: 1n,
      },
      {
        region: "us",
        nodes: 3,
        connected: 2,
        ready: 1,
        current: 1,
        different: 0,
        degraded: 0,
        connections: 2n,
        lagMax: 1n,
      },
    ],
  });
});

test("servers are shown with health by region and node, and the sum of their traffic", async () => {
  await running.config.apply({
    resources: [
      wire({ farm: { name: "farms/web" } }),
      wire({ farm: { name: "farms/api" } }),
      wire({ server: { name: "farms/web/servers/a", address: "192.0.2.1:443" } }),
      wire({ server: { name: "farms/web/servers/b", address: "192.0.2.2:443", state: "SERVER_STATE_DRAIN" } }),
      wire({ server: { name: "farms/api/servers/c", address: "192.0.2.3:443" } }),
    ],
  });
  const since = { seconds: 5n, nanos: 0 };
  const failing = { server: "farms/web/servers/a", failing: true, reason: "refused", since };
  const traffic = { servers: [{ server: "farms/web/servers/a", traffic: { connections: 2n, ended: { done: 2n } } }] };
  for (const [id, region, serverHealth] of [
    ["n1", "eu", [failing]],
    ["n2", "eu", []],
    ["n3", "us", [{ ...failing, failing: false }]],
  ] as const)
    (await open().hello(id, { region }).welcomed())
      .traffic(traffic)
      .report({ ...report, serverHealth: [...serverHealth], connections: 1n });
  await answerThat(
    () => running.fleet.getFleet({}),
    ({ regions }) => regions.every((one) => one.connections > 0n && one.ready === one.nodes),
  );
  await answerThat(
    () => running.fleet.listNodes({}),
    ({ nodes }) => nodes.every((node) => node.connections === 1n),
  );
  const { servers } = await running.fleet.listServers({ farm: "farms/web" });
  expect(servers).toMatchObject([
    {
      server: "farms/web/servers/a",
      address: "192.0.2.1:443",
      state: "ready",
      regions: [
        { region: "eu", nodes: 2, nodesFailing: 1, failing: [{ node: "nodes/n1", reason: "refused", since }] },
        { region: "us", nodes: 1, nodesFailing: 0, failing: [] },
      ],
      traffic: { connections: 6n, ended: { done: 6n } },
    },
    { server: "farms/web/servers/b", state: "drain", traffic: { connections: 0n } },
  ]);
  const names: string[] = [];
  let pageToken = "";
  do {
    const page = await running.fleet.listServers({ pageSize: 1, pageToken });
    names.push(...page.servers.map(({ server }) => server));
    ({ nextPageToken: pageToken } = page);
  } while (pageToken !== "");
  expect(names).toEqual(["farms/api/servers/c", "farms/web/servers/a", "farms/web/servers/b"]);
  await expect(running.fleet.listServers({ farm: "farms/none" })).rejects.toMatchObject({ code: status.NOT_FOUND });
});

describe("WatchFleet", () => {
  const fast = { minInterval: { seconds: 0n, nanos: 100_000_000 } };
  const namesIn = (messages: readonly WatchFleetResponse[]): string[] =>
    messages.flatMap(({ nodes }) => nodes.map(({ name }) => name));

  test("sends every node once, says that these were all, then each that changes", async () => {
    const session = await open().hello("a").welcomed();
    await open().hello("b").welcomed();
    const stream = watch(fast);
    await stream.until("the first pass", (messages) => messages.some(({ complete }) => complete));
    expect(namesIn(stream.messages).sort()).toEqual(["nodes/a", "nodes/b"]);
    const passed = stream.messages.length;
    session.report({ ...report, connections: 5n });
    const changed = await stream.until("the change", (messages) => messages[passed]);
    expect(changed).toMatchObject({ nodes: [{ name: "nodes/a", connections: 5n }], removed: [], complete: false });
  });

  test("of no nodes is complete at once", async () => {
    const first = await watch(fast).until("the first pass", ([message]) => message);
    expect(first).toEqual({ nodes: [], removed: [], revision: 0n, complete: true });
  });

  test("shows a commit at once: lag is the log's as much as the node's", async () => {
    await open().hello("a").welcomed();
    const stream = watch(fast);
    await stream.until("the first pass", (messages) => messages.length > 0);
    await running.config.createFarm({ farm: { name: "farms/web" } });
    const news = await stream.until("the news", (messages) => messages[1]);
    expect(news).toMatchObject({ revision: 1n, nodes: [{ name: "nodes/a", lag: 1n }] });
  });

  test.each([[{ seconds: 0n, nanos: 99_000_000 }], [{ seconds: -1n, nanos: 0 }], [{ seconds: 3601n, nanos: 0 }]])(
    "refuses an interval out of range: %o",
    async (minInterval) => {
      expect(await watch({ minInterval }).ended()).toMatchObject({ code: status.INVALID_ARGUMENT });
    },
  );
});
