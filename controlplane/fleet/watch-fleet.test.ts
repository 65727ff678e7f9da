import { expect, test } from "vitest";
import { nothingReleased } from "../../model/releases.ts";
import { NodeHello, NodeReport, type WatchFleetResponse } from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import type { LiveConfiguration } from "../state/live-configuration.ts";
import type { FleetNode } from "./fleet-node.ts";
import { FleetView, nodesMax } from "./fleet-view.ts";
import { FleetWatchers } from "./watch-fleet.ts";

const log = { epoch: 1, revision: 1, releases: nothingReleased, digestAt: () => undefined };
/** The log does not move here. */
const live = { catchUp: async () => undefined } as unknown as LiveConfiguration;
const minInterval = { seconds: 0n, nanos: 100_000_000 };

/** A reader that takes a message when the test says. */
function watching(view: FleetView) {
  const stop = new AbortController();
  const waiting: { readonly message: WatchFleetResponse; readonly take: () => void }[] = [];
  let arrived: () => void = () => undefined;
  const send = (message: WatchFleetResponse): Promise<void> =>
    new Promise((take) => {
      waiting.push({ message, take });
      arrived();
    });
  const ended = new FleetWatchers().watch({ live, view, log }, { minInterval }, send, stop.signal);
  return {
    /** The next message, which stays on its way until the one after it is asked for. */
    async next(): Promise<WatchFleetResponse> {
      waiting.shift()?.take();
      while (waiting.length === 0) await new Promise<void>((resolve) => (arrived = resolve));
      expect(waiting.length).toBe(1);
      return (waiting[0] as { message: WatchFleetResponse }).message;
    },
    async stop(): Promise<void> {
      stop.abort();
      waiting.shift()?.take();
      await ended;
    },
  };
}

const connect = (view: FleetView, nodeId: string): FleetNode =>
  view.connect(NodeHello.fromPartial({ nodeId }), 0) as FleetNode;
const report = (view: FleetView, node: FleetNode, connections: bigint): void =>
  view.report(node, NodeReport.fromPartial({ digest: new Uint8Array(32), connections }), 0);
const said = ({ nodes }: WatchFleetResponse): string[] =>
  nodes.map(({ name, connections }) => `${name} ${connections}`);

test("a reader that hangs is sent the latest state of what changed, once, when it goes on", async () => {
  const view = new FleetView("cp-1");
  const [a, b] = [connect(view, "a"), connect(view, "b")];
  connect(view, "c");
  const reader = watching(view);
  expect(said(await reader.next())).toEqual(["nodes/a 0", "nodes/b 0", "nodes/c 0"]);
  for (let round = 1n; round <= 1000n; round += 1n) {
    report(view, a, round);
    report(view, b, 2n * round);
  }
  expect(said(await reader.next())).toEqual(["nodes/a 1000", "nodes/b 2000"]);
  report(view, b, 7n);
  expect(said(await reader.next())).toEqual(["nodes/b 7"]);
  await reader.stop();
});

test("many nodes come in several messages, the last of which ends the first pass", async () => {
  const view = new FleetView("cp-1");
  for (let id = 0; id < 600; id += 1) connect(view, `n${id}`);
  const reader = watching(view);
  const messages = [await reader.next(), await reader.next(), await reader.next()];
  expect(messages.map(({ nodes, complete }) => [nodes.length, complete])).toEqual([
    [256, false],
    [256, false],
    [88, true],
  ]);
  await reader.stop();
});

test("nodes with much to say are fewer in a message, which has an end where it is sent", async () => {
  const view = new FleetView("cp-1");
  const serverHealth = Array.from({ length: 4500 }, () => ({ server: "farms/f/servers/s", failing: true }));
  for (const id of ["a", "b", "c"])
    view.report(connect(view, id), NodeReport.fromPartial({ digest: new Uint8Array(32), serverHealth }), 0);
  const reader = watching(view);
  expect((await reader.next()).nodes.length).toBe(2);
  expect((await reader.next()).nodes.length).toBe(1);
  await reader.stop();
});

test("a node that is forgotten is said to be, to whoever was told of it", async () => {
  const view = new FleetView("cp-1");
  const nodes = Array.from({ length: nodesMax }, (_, index) => connect(view, `n${index}`));
  view.disconnect(nodes[5] as FleetNode);
  const reader = watching(view);
  let message = await reader.next();
  while (!message.complete) message = await reader.next();
  connect(view, "new");
  message = await reader.next();
  expect(said(message)).toEqual(["nodes/new 0"]);
  expect(message.removed).toEqual(["nodes/n5"]);
  await reader.stop();
});
