import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { NodeSession } from "./node-session.ts";
import { refusalOf, refusalText } from "./refusal-of.ts";
import { RunningControlPlane, wire } from "./running-control-plane.ts";

let running: RunningControlPlane;
beforeEach(async () => {
  running = await RunningControlPlane.start();
  const route = (id: string, match: object, action: object): object => ({
    route: { name: `listeners/edge/routes/${id}`, match, action },
  });
  const server = (id: string, more: object = {}): object => ({
    server: { name: `farms/web/servers/${id}`, address: "10.0.0.1:443", ...more },
  });
  const resources = [
    { listener: { name: "listeners/edge", addresses: ["127.0.0.1:443"], defaultAction: { farm: "farms/sorry" } } },
    { farm: { name: "farms/web" } },
    { farm: { name: "farms/sorry" } },
    server("a"),
    server("b", { weight: 3 }),
    server("c", { backup: true }),
    server("d", { state: "SERVER_STATE_DRAIN" }),
    server("m", { state: "SERVER_STATE_MAINTENANCE" }),
    server("z", { weight: 0 }),
    route("shop", { serverNames: ["*.shop.test"] }, { farm: "farms/web" }),
    route("one", { serverNames: ["one.shop.test"] }, { server: "farms/web/servers/d" }),
    route("off", { serverNames: ["off.shop.test"] }, { server: "farms/web/servers/m" }),
    route("no", { serverNames: ["no.test"], sourceNetworks: ["10.0.0.0/8"] }, { reject: { alert: 112 } }),
    route("h2", { serverNames: ["*.shop.test"], alpnProtocols: ["h2"] }, { reject: {} }),
  ];
  await running.config.apply({ resources: resources.map(wire) });
});
afterEach(() => running.close());

/** Servers as `a: ready 0.25`; one that may not be chosen has no share. */
async function explained(request: Parameters<RunningControlPlane["fleet"]["explain"]>[0]) {
  const answer = await running.fleet.explain(request);
  const servers = answer.servers.map(
    ({ server, eligible, reason, share }) => `${server.slice(-1)}: ${reason}${eligible ? ` ${share}` : ""}`,
  );
  return { ...answer, servers };
}
const webServers = ["a: ready 0.25", "b: ready 0.75", "c: backup", "d: drain", "m: maintenance", "z: weight_zero"];

describe("Explain follows a hello", () => {
  test("to the farm of the most specific route, with the share of each server", async () => {
    const answer = await explained({ serverName: "Any.Shop.Test." });
    expect(answer).toMatchObject({
      revision: 1n,
      listener: "listeners/edge",
      route: "listeners/edge/routes/shop",
      outcome: "farm",
      farm: "farms/web",
      servers: webServers,
      alert: "",
    });
    expect(answer.steps.join(" ")).toContain("any.shop.test");
    expect(answer.steps.join(" ")).toContain("over 2 of 6 servers");
  });
  test("to a named server, drained as it may be", async () => {
    expect(await explained({ serverName: "one.shop.test" })).toMatchObject({
      route: "listeners/edge/routes/one",
      outcome: "server",
      farm: "farms/web",
      servers: ["d: drain 1"],
    });
  });
  test("to a named server that is in maintenance, which takes nothing", async () => {
    const answer = await explained({ serverName: "off.shop.test" });
    expect(answer).toMatchObject({ outcome: "server", servers: ["m: maintenance"] });
    expect(answer.steps.at(-1)).toContain("internal_error");
  });
  test("to a reject, with its alert, by source and by ALPN", async () => {
    expect(await explained({ serverName: "no.test", source: "10.1.2.3" })).toMatchObject({
      route: "listeners/edge/routes/no",
      outcome: "reject",
      alert: "unrecognized_name",
      servers: [],
      farm: "",
    });
    expect(await explained({ serverName: "x.shop.test", alpnProtocols: ["h2"] })).toMatchObject({
      route: "listeners/edge/routes/h2",
      outcome: "reject",
      alert: "access_denied",
    });
  });
  test.each([
    { serverName: "unknown.test" },
    {},
    { serverName: "no.test", source: "192.0.2.1" },
    { serverName: "no.test" },
  ])("%j to the default action, whose farm has no server", async (request) => {
    const answer = await explained(request);
    expect(answer).toMatchObject({ route: "", outcome: "farm", farm: "farms/sorry", servers: [] });
    expect(answer.steps.at(-1)).toContain("internal_error");
  });
});

describe("servers that nodes can't reach", () => {
  let sessions: NodeSession[];
  beforeEach(() => {
    sessions = [];
  });
  afterEach(() => {
    for (const session of sessions) session.cancel();
  });
  /** Two nodes, and the servers that each of them sees failing, twice said. */
  async function nodesReport(...failing: (readonly string[])[]): Promise<void> {
    for (const [index, ids] of failing.entries()) {
      const session = new NodeSession(running.address);
      sessions.push(session);
      await session.hello(`n${index}`).welcomed();
      const serverHealth = [...ids, ...ids].map((id) => ({ server: `farms/web/servers/${id}`, failing: true }));
      session.report({ digest: new Uint8Array(32), connections: 1n, serverHealth });
    }
    for (;;) {
      const { nodes } = await running.fleet.listNodes({});
      if (nodes.filter(({ connections }) => connections === 1n).length === failing.length) return;
    }
  }
  const servers = async () => (await explained({ serverName: "x.shop.test" })).servers;
  const idle = ["d: drain", "m: maintenance", "z: weight_zero"];

  test("count where every node says so, and leave their share to the others", async () => {
    await nodesReport(["a", "b"], ["a"]);
    expect(await servers()).toEqual(["a: failing", "b: ready 1", "c: backup", ...idle]);
  });
  test("leave theirs to the backup when no other is left", async () => {
    await nodesReport(["a", "b"], ["b", "a"]);
    expect(await servers()).toEqual(["a: failing", "b: failing", "c: ready 1", ...idle]);
  });
  test("are tried all the same when there is no other at all, as nodes do", async () => {
    await nodesReport(["a", "b", "c"]);
    expect(await servers()).toEqual(["a: failing 0.25", "b: failing 0.75", "c: backup", ...idle]);
  });
  test("are forgotten with the nodes that saw them", async () => {
    await nodesReport(["a"]);
    sessions[0]?.cancel();
    for (;;) if ((await servers())[0] === "a: ready 0.25") return;
  });
});

describe("Explain refuses", () => {
  const cases: readonly (readonly [what: string, request: object, expected: string])[] = [
    ["a name that no hello may have", { serverName: "a b.test" }, "server_name: MALFORMED"],
    ["a source that is no IP address", { source: "10.0.0.256" }, "source: MALFORMED"],
    ["both at once", { serverName: "..", source: "x" }, "server_name: MALFORMED | source: MALFORMED"],
  ];
  test.each(cases)("%s", async (_what, request, expected) => {
    expect(await refusalText(running.fleet.explain(request))).toBe(`INVALID_ARGUMENT INVALID_FIELD | ${expected}`);
  });
  test("a listener that is not there, or not named where there are several, and names those that are", async () => {
    const { message } = await refusalOf(running.fleet.explain({ listener: "listeners/none" }));
    expect(message).toContain("listeners/edge");
    expect(await refusalText(running.fleet.explain({ listener: "x".repeat(100_000) }))).toBe(
      "NOT_FOUND NOT_FOUND | listener: UNKNOWN_REFERENCE",
    );
    await running.config.createListener({ listener: { name: "listeners/other", addresses: ["127.0.0.1:444"] } });
    expect(await refusalText(running.fleet.explain({}))).toBe("INVALID_ARGUMENT INVALID_FIELD | listener: REQUIRED");
    expect(await explained({ listener: "listeners/other" })).toMatchObject({ outcome: "reject" });
  });
  test("anything while there is no listener", async () => {
    await running.config.apply({ prune: true });
    expect(await refusalText(running.fleet.explain({}))).toBe("NOT_FOUND NOT_FOUND | listener: UNKNOWN_REFERENCE");
  });
});
