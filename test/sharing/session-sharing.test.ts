import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TestControlPlane } from "../dataplane/test-control-plane.ts";
import { leftOver, type OpenResources, openResources } from "../support/open-resources.ts";
import { waitFor } from "../support/wait-for.ts";
import { aName, anId } from "./recording-host.ts";
import { SessionNode } from "./session-node.ts";
import { together } from "./together.ts";

let plane: TestControlPlane;
let before: OpenResources;
let nodes: SessionNode[];

beforeEach(async () => {
  before = openResources();
  plane = await TestControlPlane.start();
  nodes = [];
});

afterEach(async () => {
  await Promise.all(nodes.map((node) => node.close()));
  await plane.close();
  await waitFor("everything to be closed", () => leftOver(before, openResources()) === "", 10_000);
});

function start(nodeId: string, region = "eu", prepare?: (node: SessionNode) => void): SessionNode {
  const node = new SessionNode(plane.address, nodeId, region, prepare);
  nodes.push(node);
  return node;
}

describe("nodes of one region, by way of the control plane", () => {
  it("hear what each of them learns, and nobody hears itself, nor another region", async () => {
    const [one, two, three, other] = [start("n1"), start("n2"), start("n3"), start("n4", "us")];
    await together(one, two, three);
    await together(two, one);
    two.exchange.publish(aName("s1", "name-1"));
    two.exchange.publish(aName("s2", "name-2", true));
    for (const { host } of [one, three])
      await waitFor("both", () => host.hasHeard("s1 name-1") && host.hasHeard("-s2 name-2"));
    expect([two.host.hasHeard("s1 name-1"), other.host.size]).toEqual([false, 0]);
  });

  it("get at the start what another knows, in all its parts, and nobody else hears the answer", async () => {
    const [one, two] = [
      start("n1", "eu", ({ host }) => {
        for (let part = 0; part < 5; part += 1) host.knows.push(anId("s1", `known-${part}`));
      }),
      start("n2"),
    ];
    await together(one, two);
    await together(two, one);
    await waitFor("all that is known", () => two.host.heard.filter((word) => word.startsWith("s1")).length >= 5);
    const bystander = two.host.taken;
    const late = start("n3");
    await waitFor("all that is known", () => [0, 1, 2, 3, 4].every((part) => late.host.hasHeard(`s1 known-${part}`)));
    expect(two.host.taken).toBe(bystander);
  });

  it("go on after the control plane was away, with what was learnt meanwhile", async () => {
    const [one, two] = [start("n1"), start("n2")];
    await together(one, two);
    await plane.kill();
    await waitFor("both to see it", () => one.lost.length > 0 && two.lost.length > 0);
    one.exchange.publish(anId("s1", "away"));
    one.host.knows.push(anId("s1", "away"));
    await plane.restart();
    await waitFor("what was learnt meanwhile", () => two.host.hasHeard("s1 away"));
    await together(two, one);
  });

  it("keep only the newest while there is no control plane, and count the rest", async () => {
    await plane.kill();
    const one = start("n1");
    for (let each = 0; each < 20_000; each += 1) one.exchange.publish(anId("s1", `away-${each}`));
    expect(one.exchange.dropped).toBe(20_000 - 16_384);
    await plane.restart();
    const two = start("n2");
    await together(one, two);
  });
});
