import { createServer } from "node:net";
import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { joinSocketAddress } from "../../model/address.ts";
import { sameBytes } from "../../model/commit.ts";
import { DigestMatch, type Node } from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { clientHelloBytes } from "../support/client-hello-bytes.ts";
import { connectPeer } from "../support/peer.ts";
import { waitFor } from "../support/wait-for.ts";
import { freePort } from "../support/free-port.ts";
import { farm, listener, NodeRig, route, server } from "./node-rig.ts";
import { whoAnswers } from "./tls-client.ts";

let rig: NodeRig;
let port: number;

/** Two farms, of two servers and of one, each behind its name. */
beforeEach(async () => {
  rig = await NodeRig.start();
  port = await freePort();
  const [a, b, c] = await Promise.all(["web-a", "web-b", "mail-a"].map((name) => rig.server(name)));
  if (a === undefined || b === undefined || c === undefined) throw new Error("three servers");
  await rig.apply([
    farm("web"),
    server("web", "a", a.address),
    server("web", "b", b.address),
    farm("mail"),
    server("mail", "a", c.address),
    listener("edge", [port]),
    route("edge", "web", { serverNames: ["web.test"] }, { farm: "farms/web" }),
    route("edge", "mail", { serverNames: ["mail.test"] }, { farm: "farms/mail" }),
  ]);
});

afterEach(async () => {
  await rig.close();
});

/** The node as the control plane sees it, once its report is of this revision. */
function reportOf(revision: number): Promise<Node> {
  return rig.reported(`revision ${revision}`, (node) => Number(node.revision) === revision);
}

describe("a node", () => {
  it("routes by name, in turn within a farm", async () => {
    const answers = [];
    for (let each = 0; each < 4; each += 1) answers.push(await whoAnswers(port, "web.test"));
    expect(answers).toEqual(["web-a", "web-b", "web-a", "web-b"]);
    expect(await whoAnswers(port, "MAIL.test")).toBe("mail-a");
    expect(await whoAnswers(port, "x.test")).toBe("ERR_SSL_TLSV1_UNRECOGNIZED_NAME");
  });

  it("has the digest of the control plane, which sees that, after every commit", async () => {
    for (const attempts of [4, 5, 6]) {
      const revision = await rig.apply([farm("web", { connectAttemptsMax: attempts })]);
      const node = await reportOf(revision);
      expect(node.digestMatch).toBe(DigestMatch.DIGEST_MATCH_EQUAL);
      expect(sameBytes(node.digest, rig.node.state.digest)).toBe(true);
      expect(node.lag).toBe(0n);
    }
  });

  it("routes new connections while the control plane is gone, and catches up when it is back", async () => {
    const live = await rig.client(port, "web.test");
    await rig.controlPlane.kill();
    await waitFor("the loss", () => rig.node.state.feed === "disconnected");
    expect(await whoAnswers(port, "mail.test")).toBe("mail-a");
    expect(rig.node.ready).toBe(true);
    await live.echoes("still here");
    await rig.controlPlane.restart();
    const web = { serverNames: ["mail.test"] };
    await rig.apply([route("edge", "mail", web, { farm: "farms/web" })]);
    expect(await whoAnswers(port, "mail.test")).toMatch(/^web-[ab]$/);
    await live.echoes("and here");
    expect((await reportOf(2)).connected).toBe(true);
  });

  it("keeps serving when the log was lost, says so, and takes over the new one with live connections", async () => {
    const live = await rig.client(port, "web.test");
    const { position } = rig.node.state;
    await rig.controlPlane.kill();
    await rig.controlPlane.restart("another log");
    await waitFor("the alarm", () => rig.node.state.stalled?.reason === "forked");
    await waitFor("the feed", () => rig.node.state.feed === "following");
    expect(rig.node.state.position).toEqual(position);
    expect(await whoAnswers(port, "mail.test")).toBe("mail-a");
    const c = await rig.server("new-a");
    const everything = [
      farm("web"),
      server("web", "a", c.address),
      listener("edge", [port]),
      route("edge", "web", { serverNames: ["web.test"] }, { farm: "farms/web" }),
    ];
    await rig.apply(everything);
    expect(rig.node.state.stalled).toBeUndefined();
    expect(await whoAnswers(port, "web.test")).toBe("new-a");
    expect(await whoAnswers(port, "mail.test")).toBe("ERR_SSL_TLSV1_UNRECOGNIZED_NAME");
    await live.echoes("through all of it");
  });
});

describe("a live connection", () => {
  it("outlives every commit that does not name its server or its listener", async () => {
    const live = await rig.client(port, "web.test");
    const other = live.server === "web-a" ? "b" : "a";
    const extra = await rig.server("extra");
    const second = await freePort();
    const commits: readonly (readonly object[])[] = [
      [server("web", other, extra.address)],
      [server("web", other, extra.address, { state: "SERVER_STATE_MAINTENANCE" })],
      [server("web", "c", extra.address, { weight: 9 })],
      [farm("web", { connectAttemptsMax: 1, serverIdleTimeout: { seconds: 3600 } })],
      [route("edge", "web", { serverNames: ["other.test"] }, { farm: "farms/mail" })],
      [listener("second", [second])],
      [server("mail", "a", extra.address)],
    ];
    for (const [index, commit] of commits.entries()) {
      await rig.apply(commit);
      await live.echoes(`after ${index}`);
    }
    expect(rig.ended).toEqual([]);
  });

  it("outlives its own server's drain, and its listener's new limits and addresses", async () => {
    const live = await rig.client(port, "mail.test");
    const address = (await rig.server("elsewhere")).address;
    await rig.apply([server("mail", "a", address, { state: "SERVER_STATE_DRAIN" })]);
    await live.echoes("draining");
    expect(await whoAnswers(port, "mail.test")).toBe("ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR");
    const second = await freePort();
    await rig.apply([listener("edge", [second], { connectionsMax: 50 })]);
    await live.echoes("its port is closed");
    expect(await whoAnswers(port, "web.test")).toBe("ECONNREFUSED");
    expect(await whoAnswers(second, "web.test")).toMatch(/^web-/);
  });

  it("has no gap in listening while 50 commits touch its listener's routes", async () => {
    const live = await rig.client(port, "mail.test");
    let stop = false;
    const answers = new Set<string>();
    const asking = (async () => {
      while (!stop) answers.add(await whoAnswers(port, "mail.test"));
    })();
    for (let index = 0; index < 50; index += 1)
      await rig.controlPlane.apply([
        route("edge", "moving", { serverNames: [`n${index}.test`] }, { farm: "farms/web" }),
        listener("edge", [port], { connectionsMax: 1000 + index }),
      ]);
    await rig.reaches(51);
    stop = true;
    await asking;
    expect([...answers]).toEqual(["mail-a"]);
    await live.echoes("after all of them");
  });
});

describe("a hello", () => {
  it("that is on its way while its listener is deleted ends with an alert", async () => {
    const hello = clientHelloBytes({ serverName: "web.test" });
    const client = await connectPeer(joinSocketAddress("127.0.0.1", port));
    client.write(hello.subarray(0, 20));
    await waitFor("the connection at the node", () => rig.node.engine.stats().hellosPending === 1);
    await rig.apply([farm("web"), farm("mail")], true);
    expect(await whoAnswers(port, "web.test")).toBe("ECONNREFUSED");
    client.write(hello.subarray(20));
    const alert = await client.endsInOrder();
    client.end();
    expect([...alert]).toEqual([21, 3, 3, 0, 2, 2, 112]);
    expect((await rig.endedAs(1)).closed.reason).toBe("no_route");
    expect(rig.node.traffic.listeners.size).toBe(0);
  });
});

describe("a node that drains", () => {
  it("is not reached any more, is not ready, and keeps its live connections, until it is to take new ones", async () => {
    const live = await rig.client(port, "web.test");
    await rig.node.drain();
    expect(await whoAnswers(port, "web.test")).toBe("ECONNREFUSED");
    expect([rig.node.ready, rig.node.draining]).toEqual([false, true]);
    await rig.reported("that it drains", ({ draining, ready }) => draining && !ready);
    await live.echoes("goes on");
    await rig.apply([route("edge", "mail", { serverNames: ["mail.test"] }, { farm: "farms/web" })]);
    await live.echoes("still goes on");
    expect(await whoAnswers(port, "web.test")).toBe("ECONNREFUSED");
    await rig.node.undrain();
    expect(await whoAnswers(port, "mail.test")).toMatch(/^web-/);
    await rig.reported("that it is ready", ({ draining, ready }) => !draining && ready);
    await live.echoes("to the end");
  });
});

describe("a resync", () => {
  it("folds the log anew without a live connection, or a new one, noticing", async () => {
    const live = await rig.client(port, "web.test");
    await rig.apply([farm("web", { connectAttemptsMax: 5 })]);
    const { digest } = rig.node.state;
    rig.node.resync();
    expect(await whoAnswers(port, "mail.test")).toBe("mail-a");
    await rig.apply([route("edge", "too", { serverNames: ["too.test"] }, { farm: "farms/mail" })]);
    expect(await whoAnswers(port, "too.test")).toBe("mail-a");
    await live.echoes("through all of it");
    expect(sameBytes(digest, rig.node.state.digest)).toBe(false);
    expect((await reportOf(3)).digestMatch).toBe(DigestMatch.DIGEST_MATCH_EQUAL);
  });
});

describe("what a node can't carry out", () => {
  it("is reported, the rest of the commit is applied, and it is bound once the port is free", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port: takenPort } = taken.address() as { port: number };
    const free = await freePort();
    const revision = await rig.apply([
      listener("blocked", [takenPort, free]),
      route("blocked", "web", { serverNames: ["web.test"] }, { farm: "farms/web" }),
      route("edge", "too", { serverNames: ["too.test"] }, { farm: "farms/mail" }),
    ]);
    const node = await rig.reported("what is degraded", ({ degraded }) => degraded.length > 0);
    const detail = expect.stringContaining(`127.0.0.1:${takenPort}`) as string;
    expect(node.degraded).toEqual([
      { name: "listeners/blocked", reason: "address_in_use", detail, revision: BigInt(revision) },
    ]);
    expect(Number(node.revision)).toBe(revision);
    expect(node.digestMatch).toBe(DigestMatch.DIGEST_MATCH_EQUAL);
    expect(rig.node.ready).toBe(false);
    expect(await whoAnswers(free, "web.test")).toMatch(/^web-/);
    expect(await whoAnswers(port, "too.test")).toBe("mail-a");
    taken.close();
    await once(taken, "close");
    await waitFor("the address", () => rig.node.ready);
    expect(await whoAnswers(takenPort, "web.test")).toMatch(/^web-/);
    await rig.reported("nothing degraded", ({ degraded }) => degraded.length === 0);
  });
});
