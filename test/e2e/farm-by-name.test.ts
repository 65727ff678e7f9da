import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { alertCode } from "../../model/alert.ts";
import { waitFor } from "../support/wait-for.ts";
import { freePorts, TestInstance } from "./running-switchyard.ts";
import { curl, openssl, subjectSeen } from "./tls-clients.ts";
import { WebServer } from "./web-server.ts";

/** The classic set-up: two applications, a default farm, inspect delay 5 s, connect timeout 5 s, idle 30 s. */
describe("farm by name", () => {
  let instance: TestInstance;
  let port: number;
  let strictPort: number;
  const servers = new Map<string, WebServer>();

  beforeAll(async () => {
    [port, strictPort] = (await freePorts(2)) as [number, number];
    for (const name of ["app1-a", "app1-b", "app2-a", "app2-b", "sorry-a"])
      servers.set(name, await WebServer.listen(name));
    const farm = (name: string, ...ids: string[]): string =>
      [
        `- farm: {name: farms/${name}, balance: BALANCE_ROUND_ROBIN, connectTimeout: 5s, serverIdleTimeout: 30s}`,
        ...ids.map((id) => `- server: {name: farms/${name}/servers/${id}, address: "${servers.get(id)?.address}"}`),
      ].join("\n");
    const dead = (await freePorts(1))[0];
    instance = await TestInstance.start("--access-log", "-");
    await instance.apply(`
${farm("app1", "app1-a", "app1-b")}
${farm("app2", "app2-a", "app2-b")}
${farm("sorry", "sorry-a")}
- farm: {name: farms/dead}
- server: {name: farms/dead/servers/d, address: "127.0.0.1:${dead}"}
- listener:
    name: listeners/edge
    addresses: ["127.0.0.1:${port}", "[::1]:${port}"]
    helloDeadline: 5s
    clientIdleTimeout: 30s
    defaultAction: {farm: farms/sorry}
- route: {name: listeners/edge/routes/app1, match: {serverNames: [app1.test]}, action: {farm: farms/app1}}
- route: {name: listeners/edge/routes/app2, match: {serverNames: [app2.test, "*.app2.test"]}, action: {farm: farms/app2}}
- route: {name: listeners/edge/routes/h2, match: {serverNames: [app1.test], alpnProtocols: [x-special]}, action: {farm: farms/sorry}}
- route: {name: listeners/edge/routes/dead, match: {serverNames: [dead.test]}, action: {farm: farms/dead}}
- route: {name: listeners/edge/routes/no, match: {serverNames: [refused.test]}, action: {reject: {}}}
- listener: {name: listeners/strict, addresses: ["127.0.0.1:${strictPort}"]}
- route: {name: listeners/strict/routes/app1, match: {serverNames: [app1.test]}, action: {farm: farms/app1}}
`);
  });

  afterAll(async () => {
    await instance.stop();
    for (const server of servers.values()) await server.close();
  });

  test("each name reaches its own farm, and the farm's servers take turns", async () => {
    const answers = [];
    for (let visit = 0; visit < 4; visit += 1) answers.push(await curl("app1.test", port));
    expect(new Set(answers)).toEqual(new Set(["app1-a asked for app1.test", "app1-b asked for app1.test"]));
    expect(answers[0]).toBe(answers[2]);
    expect(answers[1]).toBe(answers[3]);
    expect(await curl("app2.test", port)).toMatch(/^app2-[ab] asked for app2\.test$/);
  });

  test.each([
    ["an unknown name", "other.test"],
    ["a name below an exact one", "www.app1.test"],
    ["no name", null],
  ])("%s reaches the default farm", async (_what, name) => {
    expect(await subjectSeen(port, name)).toBe("sorry-a");
  });

  test.each([
    ["in capitals", "APP1.TEST", /^app1-/],
    ["with a trailing dot", "app1.test.", /^app1-/],
    ["one label below a wildcard", "www.app2.test", /^app2-/],
    ["two labels below a wildcard", "a.b.app2.test", /^app2-/],
  ])("a name %s reaches its farm", async (_what, name, server) => {
    expect(await subjectSeen(port, name)).toMatch(server);
  });

  test.each(["-tls1_2", "-tls1_3"])("openssl %s is routed, and sees the server's own certificate", async (version) => {
    expect(await subjectSeen(port, "app2.test", version)).toMatch(/^app2-/);
  });

  test("IPv6 clients are served as IPv4 ones", async () => {
    const run = await curl("app1.test", port, "--resolve", `app1.test:${port}:[::1]`);
    expect(run).toMatch(/^app1-/);
  });

  test("ALPN narrows a name", async () => {
    expect(await subjectSeen(port, "app1.test", "-alpn", "x-special")).toBe("sorry-a");
    expect(await subjectSeen(port, "app1.test", "-alpn", "h2")).toMatch(/^app1-/);
  });

  test.each([
    ["a name that a route refuses", "refused.test", () => port, "access_denied"],
    ["an unknown name where there is no default", "other.test", () => strictPort, "unrecognized_name"],
    ["no name where there is no default", null, () => strictPort, "unrecognized_name"],
    ["a farm with no server that answers", "dead.test", () => port, "internal_error"],
  ] as const)("%s gets its TLS alert", async (_what, name, at, alert) => {
    for (const version of ["-tls1_2", "-tls1_3"])
      expect(await openssl(at(), name, version)).toContain(`SSL alert number ${alertCode[alert]}`);
  });

  test("each connection leaves one line in the access log, and the same reason in the metrics", async () => {
    expect(await subjectSeen(strictPort, 'odd"name.test')).toBeUndefined();
    const lines = () =>
      instance.process.stdout
        .split("\n")
        .filter((line) => line.startsWith("{"))
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    await expect
      .poll(() => lines().find((line) => line["serverName"] === 'odd"name.test'))
      .toMatchObject({
        listener: "listeners/strict",
        route: null,
        farm: null,
        server: null,
        reason: "no_route",
        revision: 1,
      });
    const before = lines().length;
    const server = (await curl("app1.test", port)).split(" ")[0];
    const served = await waitFor("its line", () =>
      lines()
        .slice(before)
        .find((line) => line["serverName"] === "app1.test"),
    );
    expect(served).toMatchObject({
      route: "listeners/edge/routes/app1",
      farm: "farms/app1",
      server: `farms/app1/servers/${server}`,
      connectAttempts: 1,
    });
    // Whoever has closed by the time the other's close_notify comes answers it with a reset.
    expect(["done", "client_reset", "server_reset"]).toContain(served["reason"]);
    expect(Number(served["bytesFromClient"])).toBeGreaterThan(200);
    expect(Number(served["bytesFromServer"])).toBeGreaterThan(200);
    const metrics = await (await fetch(`http://127.0.0.1:${instance.opsPort}/metrics`)).text();
    expect(metrics).toMatch(/connections_closed_total\{listener="listeners\/strict",reason="no_route"\} [1-9]/);
    expect(metrics).toContain(
      `connections_closed_total{listener="listeners/edge",reason="${String(served["reason"])}"}`,
    );
  });

  test("a server that is gone costs its clients nothing but a retry, and takes its turns when it is back", async () => {
    const server = servers.get("app2-b") as WebServer;
    const at = Number(server.address.split(":")[1]);
    await server.close();
    for (let visit = 0; visit < 4; visit += 1) expect(await curl("app2.test", port)).toMatch(/^app2-a /);
    servers.set("app2-b", await WebServer.listen("app2-b", at));
    await expect.poll(() => curl("app2.test", port), { timeout: 30_000 }).toMatch(/^app2-b /);
  });
});
