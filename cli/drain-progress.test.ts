import { describe, expect, it } from "vitest";
import { Node, ServerStatus } from "../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { DrainProgress } from "./drain-progress.ts";

const node = (id: string, revision: number, reportAtS: number, connected = true): Node =>
  Node.fromPartial({
    name: `nodes/${id}`,
    revision: BigInt(revision),
    connected,
    lastReportTime: { seconds: BigInt(reportAtS) },
  });
const server = (...counts: readonly (readonly [region: string, connections: number])[]): ServerStatus =>
  ServerStatus.fromPartial({
    server: "farms/web/servers/a",
    state: "drain",
    connections: BigInt(counts.reduce((sum, [, count]) => sum + count, 0)),
    regions: counts.map(([region, connections]) => ({ region, connections: BigInt(connections) })),
  });

describe("a server is drained when every connected node has said so twice", () => {
  it("in two reports, one after another, and not in one that is seen twice", () => {
    const progress = new DrainProgress(7n);
    const first = [node("a", 7, 1), node("b", 8, 1)];
    expect(progress.look(first, server()).done).toBe(false);
    progress.seen(first);
    expect(progress.look(first, server()).done).toBe(false);
    expect(progress.look([node("a", 7, 2), node("b", 8, 1)], server()).done).toBe(false);
    expect(progress.look([node("a", 7, 2), node("b", 8, 2)], server())).toEqual({
      text: "no connections left",
      connections: 0n,
      done: true,
    });
  });

  it("and from the beginning where a connection came in between", () => {
    const progress = new DrainProgress(7n);
    progress.look([node("a", 7, 1)], server());
    progress.seen([node("a", 7, 1)]);
    expect(progress.look([node("a", 7, 2)], server(["eu", 1])).done).toBe(false);
    expect(progress.look([node("a", 7, 3)], server()).done).toBe(false);
    progress.seen([node("a", 7, 3)]);
    expect(progress.look([node("a", 7, 4)], server()).done).toBe(true);
  });

  it("and a node that connects meanwhile is heard twice too", () => {
    const progress = new DrainProgress(7n);
    progress.look([node("a", 7, 1)], server());
    progress.seen([node("a", 7, 1)]);
    expect(progress.look([node("a", 7, 2), node("b", 7, 2)], server()).done).toBe(false);
  });

  it("whichever way the control plane's clock goes", () => {
    const progress = new DrainProgress(7n);
    progress.look([node("a", 7, 5)], server());
    progress.seen([node("a", 7, 5)]);
    expect(progress.look([node("a", 7, 4)], server()).done).toBe(true);
  });

  it("and one that is gone is not waited for", () => {
    const progress = new DrainProgress(7n);
    const nodes = (atS: number) => [node("a", 7, atS), node("gone", 3, 1, false)];
    progress.look(nodes(1), server());
    progress.seen(nodes(1));
    expect(progress.look(nodes(2), server()).done).toBe(true);
  });
});

describe("it says what is waited for", () => {
  const cases: readonly (readonly [what: string, nodes: readonly Node[], server: ServerStatus, text: string])[] = [
    ["one connection", [node("a", 7, 1)], server(["eu", 1]), "1 connection left"],
    ["connections of one region", [node("a", 7, 1)], server(["eu", 3], ["us", 0]), "3 connections left"],
    ["of several", [node("a", 7, 1)], server(["eu", 3], ["us", 2]), "5 connections left (eu 3, us 2)"],
    [
      "nodes that may send more",
      [node("a", 6, 1), node("b", 7, 1)],
      server(["eu", 3]),
      "3 connections left; 1 of 2 nodes are not at revision 7 yet: a",
    ],
    [
      "many of them",
      ["a", "b", "c", "d"].map((id) => node(id, 6, 1)),
      server(),
      "0 connections left; 4 of 4 nodes are not at revision 7 yet: a, b, c, ...",
    ],
    ["a fleet that nobody has heard of", [], server(), "no node is connected: nothing is known of connections"],
    ["nor these", [node("a", 7, 1, false)], server(), "no node is connected: nothing is known of connections"],
  ];
  it.each(cases)("%s", (_what, nodes, status, text) => {
    const progress = new DrainProgress(7n);
    expect(progress.look(nodes, status)).toEqual({ text, connections: status.connections, done: false });
  });
});
