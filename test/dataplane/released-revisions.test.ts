import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { freePort } from "../support/free-port.ts";
import { waitFor } from "../support/wait-for.ts";
import { farm, listener, NodeRig, route, server } from "./node-rig.ts";

let rig: NodeRig;
let port: number;

beforeEach(async () => {
  rig = await NodeRig.start();
  port = await freePort();
});

afterEach(async () => {
  await rig.close();
});

/** Waits until the node knows the log to one revision and serves another. */
async function serves(revision: number, logRevision: number): Promise<void> {
  await waitFor(`revision ${revision} of ${logRevision} at the node`, () => {
    const { position, logPosition } = rig.node.state;
    return position.revision === revision && logPosition.revision === logRevision;
  });
}

function webRoute(to: string): object {
  return route("edge", "web", { serverNames: ["web.test"] }, { farm: `farms/${to}` });
}

describe("a live connection", () => {
  it("outlives the step to a revision that is released and the step back, though its server comes and goes with it", async () => {
    const [old, next] = [await rig.server("old"), await rig.server("next")];
    const policy = { rolloutPolicy: { name: "rolloutPolicies/default", staged: { waves: [{}] } } };
    const first = [listener("edge", [port]), farm("web"), server("web", "a", old.address), webRoute("web")];
    const base = await rig.apply([...first, policy]);
    const before = await rig.client(port, "web.test");
    const target = await rig.controlPlane.apply([farm("new"), server("new", "a", next.address), webRoute("new")]);
    await serves(base, target);
    const waiting = await rig.client(port, "web.test");
    const released = await rig.controlPlane.startRollout();
    await serves(target, released);
    const during = await rig.client(port, "web.test");
    const takenBack = await rig.controlPlane.rollBack();
    await serves(base, takenBack);
    const after = await rig.client(port, "web.test");
    const clients = [before, waiting, during, after];
    expect(clients.map((client) => client.server)).toEqual(["old", "old", "next", "old"]);
    for (const client of clients) await client.echoes("nothing is broken");
    expect(rig.ended).toEqual([]);
    const { revision, logRevision } = await rig.reported("what it serves and knows", (node) => {
      return node.revision === BigInt(base) && node.logRevision === BigInt(takenBack);
    });
    expect([revision, logRevision]).toEqual([BigInt(base), BigInt(takenBack)]);
  });
});

describe("a server that a commit deletes", () => {
  it.each([
    ["loses its connections where the farm closes them", "ON_SERVER_REMOVED_CLOSE", "ON_SERVER_REMOVED_CLOSE", true],
    ["keeps them otherwise", "ON_SERVER_REMOVED_KEEP", "ON_SERVER_REMOVED_KEEP", false],
    ["loses them by the farm's word before that commit", "ON_SERVER_REMOVED_CLOSE", "ON_SERVER_REMOVED_KEEP", true],
    ["keeps them by the farm's word before that commit", "ON_SERVER_REMOVED_KEEP", "ON_SERVER_REMOVED_CLOSE", false],
  ])("%s", async (_law, wordBefore, wordAfter, closes) => {
    const [gone, stays] = [await rig.server("gone"), await rig.server("stays")];
    const servers = [server("web", "gone", gone.address), server("web", "stays", stays.address)];
    const rest = [listener("edge", [port]), webRoute("web")];
    await rig.apply([...rest, ...servers, farm("web", { onServerRemoved: wordBefore })]);
    const clients = [await rig.client(port, "web.test"), await rig.client(port, "web.test")];
    const [toGone, toOther] = ["gone", "stays"].map((name) => clients.find((client) => client.server === name));
    if (toGone === undefined || toOther === undefined) throw new Error("each server was to have a connection");
    await rig.apply([...rest, ...servers.slice(1), farm("web", { onServerRemoved: wordAfter })], true);
    await toOther.echoes("still here");
    if (!closes) return toGone.echoes("still here, too");
    await waitFor("the end of the connection to the server", () => toGone.closed);
    const { closed } = await rig.endedAs(1);
    expect([closed.reason, rig.ended.length]).toEqual(["server_removed", 1]);
  });
});
