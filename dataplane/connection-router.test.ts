import { describe, expect, it } from "vitest";
import { capturedBytes } from "../test/corpus/accepted-hellos.ts";
import { alpn, helloWith, latin1, serverName, sslv2Hello } from "../test/corpus/hello-builder.ts";
import { rejectedHellos } from "../test/corpus/rejected-hellos.ts";
import { builtFlights } from "../test/corpus/server-flights.ts";
import { written } from "../test/support/arbitrary-resource.ts";
import { base, edge, route, RouterRig, server, told } from "../test/support/router-rig.ts";
import type { Resource } from "../model/resource.ts";
import type { Verdict } from "./engine/engine.ts";

const nonTls = written({ farm: { name: "farms/plain" } });
const plainServer = server("plain", "p", 21);
const toPlain = edge({ nonTlsFarm: "farms/plain" });
const toWeb = edge({ defaultAction: { farm: "farms/web" } });
const denying = edge({ defaultAction: { reject: { alert: "ALERT_ACCESS_DENIED" } } });

const cases: readonly (readonly [law: string, hello: Uint8Array, more: readonly Resource[], told: string])[] = [
  ["a name that a route has goes to its farm", helloWith(serverName("web.test")), [], "farms/web a"],
  ["a captured hello is understood", capturedBytes("curl-h2"), [toWeb], "farms/web a"],
  ["ALPN narrows", helloWith(serverName("web.test"), alpn("h2", "x")), [], "farms/web c"],
  ["the source narrows", helloWith(serverName("web.test"), alpn("x")), [], "route_reject access_denied"],
  [
    "an unknown name without a default is unrecognized",
    helloWith(serverName("x.test")),
    [],
    "no_route unrecognized_name",
  ],
  ["no name without a default is unrecognized", helloWith(), [], "no_route unrecognized_name"],
  ["an unknown name goes to the default", helloWith(serverName("x.test")), [toWeb], "farms/web a"],
  ["no name goes to the default", helloWith(), [toWeb], "farms/web a"],
  ["a default that rejects says what it was told to", helloWith(), [denying], "route_reject access_denied"],
  ["a route that rejects denies access", helloWith(serverName("refused.test")), [], "route_reject access_denied"],
  ["a route that rejects has its alert", helloWith(serverName("odd.test")), [], "route_reject no_application_protocol"],
  ["a farm without servers is an internal error", helloWith(serverName("empty.test")), [], "no_server internal_error"],
  ["so is one whose servers may not be chosen", helloWith(serverName("state.test")), [], "no_server internal_error"],
  ["a named server is reached while it drains", helloWith(serverName("drain.test")), [], "farms/state drain"],
  ["a named server is reached with weight 0", helloWith(serverName("zero.test")), [], "farms/state zero"],
  ["a named server is not reached in maintenance", helloWith(serverName("out.test")), [], "no_server internal_error"],
  ["plain text is refused", latin1("GET / HTTP/1.1\r\n\r\n"), [toWeb], "not_tls decode_error"],
  ["the SSLv2 form is refused", sslv2Hello(), [toWeb], "sslv2_hello decode_error"],
  [
    "plain text goes to the farm for it",
    latin1("GET / HTTP/1.1\r\n\r\n"),
    [toPlain, nonTls, plainServer],
    "farms/plain p",
  ],
  ["the SSLv2 form goes there too", sslv2Hello(), [toPlain, nonTls, plainServer], "farms/plain p"],
  ["that farm may have no server", sslv2Hello(), [toPlain, nonTls], "no_server internal_error"],
];

describe("a hello", () => {
  it.each(cases)("%s", (_law, hello, more, expected) => {
    expect(told(new RouterRig(...more).decide(hello))).toBe(expected);
  });

  it("for a listener that was deleted on its way is unrecognized", () => {
    expect(told(new RouterRig().decide(helloWith(serverName("web.test")), "listeners/gone"))).toBe(
      "no_route unrecognized_name",
    );
  });

  const malformed = rejectedHellos.filter(({ reason }) => reason !== "not_tls" && reason !== "sslv2_hello");
  it.each(malformed)("that is malformed is never sent to a default, nor to the farm for plain text: $title", (each) => {
    const open = edge({ defaultAction: { farm: "farms/web" }, nonTlsFarm: "farms/plain" });
    const any = route("any", { serverNames: ["*"], noServerName: true }, { farm: "farms/web" });
    expect(told(new RouterRig(open, any, nonTls, plainServer).decide(each.bytes))).toBe(`${each.reason} decode_error`);
  });

  it("leaves what the access log needs, its name as it was looked up", () => {
    const { context } = new RouterRig().decide(helloWith(serverName("WEB.test.")));
    const at = { listener: "listeners/edge", route: "listeners/edge/routes/web", revision: 5 };
    expect(context).toMatchObject({ ...at, serverName: "web.test" });
  });
});

describe("what a server answers", () => {
  const gaveId = builtFlights.find(({ title }) => title === "TLS 1.2, full, no ticket");
  const known = (rig: RouterRig): number =>
    [...rig.affinity.known(10)].reduce((sum, part) => sum + part.sessionIds.length, 0);

  it.each([
    ["is learnt", 1, 1],
    ["is not learnt where another machine has its name since then", 9, 0],
  ])("%s", (_law, port, learnt) => {
    const rig = new RouterRig();
    const { context } = rig.connected("web.test");
    const [before, after] = [server("web", "a", 1), server("web", "a", port)];
    rig.routing.apply([{ before, after }]);
    rig.affinity.apply([{ before, after }]);
    rig.router.serverBytes(1, context, gaveId?.bytes ?? new Uint8Array(0));
    expect(known(rig)).toBe(learnt);
  });
});

describe("a server that can't be reached", () => {
  function attempts(rig: RouterRig, name: string): string[] {
    let verdict: Verdict = rig.connected(name);
    const all = [told(verdict)];
    for (let attempt = 1; verdict.verdict === "connect" && attempt < 20; attempt += 1) {
      verdict = rig.router.redecide(1, verdict.context, attempt % 2 === 0 ? "timeout" : "refused", attempt);
      all.push(told(verdict));
    }
    return all;
  }

  it("is followed by each other server once, then by an internal error", () => {
    expect(attempts(new RouterRig(), "web.test")).toEqual([
      "farms/web a",
      "farms/web b",
      "farms/web c",
      "connect_failed internal_error",
    ]);
  });

  it.each([
    [1, ["farms/web a", "connect_failed internal_error"]],
    [2, ["farms/web a", "farms/web b", "connect_timeout internal_error"]],
    [10, ["farms/web a", "farms/web b", "farms/web c", "connect_failed internal_error"]],
  ])("is followed by others up to connectAttemptsMax %i in all", (connectAttemptsMax, expected) => {
    const farm = written({ farm: { name: "farms/web", connectAttemptsMax } });
    expect(attempts(new RouterRig(farm), "web.test")).toEqual(expected);
  });

  it("is never replaced where the route names it", () => {
    expect(attempts(new RouterRig(), "a.web.test")).toEqual(["farms/web a", "connect_failed internal_error"]);
  });

  it("is passed over by later connections, and tried all the same where all fail", () => {
    const rig = new RouterRig();
    attempts(rig, "a.web.test");
    const next = Array.from({ length: 4 }, () => told(rig.connected("web.test")));
    expect(next).toEqual(["farms/web b", "farms/web c", "farms/web b", "farms/web c"]);
    attempts(rig, "web.test");
    expect(told(rig.connected("web.test"))).toMatch(/^farms\/web [abc]$/);
  });

  it("is followed by an internal error where the farm went away meanwhile", () => {
    const rig = new RouterRig();
    const verdict = rig.connected("web.test");
    const gone = base.filter(({ name }) => name.startsWith("farms/web"));
    rig.routing.apply(gone.map((before) => ({ before, after: null })));
    expect(told(rig.router.redecide(1, verdict.context, "refused", 1))).toBe("connect_failed internal_error");
    expect([rig.unwell(), rig.traffic.servers.size]).toEqual([[], 0]);
  });

  it("is followed by servers that were added meanwhile", () => {
    const rig = new RouterRig();
    const [b, c] = [server("web", "b", 2), server("web", "c", 3)];
    const verdict = rig.connected("web.test");
    const left = [b, c].map((before) => ({ before, after: null }));
    rig.routing.apply([...left, { before: null, after: server("web", "d", 4) }]);
    expect(told(rig.router.redecide(1, verdict.context, "refused", 1))).toBe("farms/web d");
  });

  it("is not held to have failed where it was moved to another address meanwhile", () => {
    const rig = new RouterRig();
    const verdict = rig.connected("web.test");
    rig.routing.apply([{ before: server("web", "a", 1), after: server("web", "a", 99) }]);
    rig.router.redecide(1, verdict.context, "refused", 1);
    expect(rig.unwell()).toEqual([]);
    expect(rig.traffic.servers.get("farms/web/servers/a")?.connectFailures.get("refused")).toBe(1);
  });
});

describe("the end of a connection", () => {
  it("is counted for its listener and its server, and told with what was decided", () => {
    const rig = new RouterRig();
    const verdict = rig.connected("web.test");
    for (const reason of ["done", "client_reset"] as const) rig.close(verdict, { reason });
    expect(rig.traffic.listeners.get("listeners/edge")).toEqual({
      closed: new Map([
        ["done", 1],
        ["client_reset", 1],
      ]),
      bytesFromClients: 20,
      bytesFromServers: 40,
    });
    expect(rig.traffic.servers.get("farms/web/servers/a")?.connections).toBe(2);
    expect(rig.ended).toEqual([verdict.context, verdict.context]);
  });

  it("before a verdict is counted too", () => {
    const rig = new RouterRig();
    rig.close({ ...rig.connected("web.test"), context: undefined }, { reason: "hello_timeout", connectMs: -1 });
    expect(rig.traffic.listeners.get("listeners/edge")?.closed).toEqual(new Map([["hello_timeout", 1]]));
    expect(rig.ended).toEqual([undefined]);
  });

  it("shows that a failing server answers, if the connection was made after the failure", () => {
    const rig = new RouterRig();
    const old = rig.connected("web.test");
    rig.nowMs = 1000;
    rig.router.redecide(1, rig.connected("a.web.test").context, "refused", 1);
    rig.nowMs = 1500;
    rig.close(old, { totalMs: 1500, connectMs: 2 });
    expect(rig.health.isHealthy("farms/web/servers/a", rig.nowMs)).toBe(false);
    rig.nowMs = 1900;
    rig.close(old, { totalMs: 100, connectMs: 2 });
    expect(rig.health.isHealthy("farms/web/servers/a", rig.nowMs)).toBe(true);
  });

  it("without a server that was reached shows nothing", () => {
    const rig = new RouterRig();
    const verdict = rig.connected("a.web.test");
    rig.router.redecide(1, verdict.context, "refused", 1);
    rig.nowMs = 10;
    rig.close(verdict, { connectMs: -1, reason: "client_gone" });
    expect(rig.health.isHealthy("farms/web/servers/a", 10)).toBe(false);
    expect(rig.traffic.servers.get("farms/web/servers/a")?.connections).toBe(0);
  });

  it("of a listener and a server that have gone leaves nothing behind", () => {
    const rig = new RouterRig();
    const verdict = rig.connected("web.test");
    rig.routing.apply(base.map((before) => ({ before, after: null })));
    rig.close(verdict);
    expect([rig.traffic.listeners.size, rig.traffic.servers.size, rig.ended.length]).toEqual([0, 0, 1]);
  });
});
