import { describe, expect, it } from "vitest";
import { joinSocketAddress, type SocketAddress } from "../model/address.ts";
import { capturedBytes } from "../test/corpus/accepted-hellos.ts";
import { alpn, helloWith, latin1, serverName, sslv2Hello } from "../test/corpus/hello-builder.ts";
import { rejectedHellos } from "../test/corpus/rejected-hellos.ts";
import { written } from "../test/support/arbitrary-resource.ts";
import type { Resource } from "../model/resource.ts";
import { Routing } from "./choose/routing.ts";
import { ConnectionRouter } from "./connection-router.ts";
import type { ClosedConnection, ConnectVerdict, Verdict } from "./engine/engine.ts";
import { ServerHealthBoard } from "./health/server-health.ts";
import { readHello } from "./hello/hello-reader.ts";
import type { ServerAddresses } from "./resolve/server-addresses.ts";
import type { RoutedConnection } from "./routed-connection.ts";
import { ServerDispatch } from "./server-dispatch.ts";
import { ServerLoads } from "./server-loads.ts";
import { SessionAffinity } from "./session-affinity.ts";
import { Traffic } from "./telemetry/traffic.ts";

const source = joinSocketAddress("192.0.2.7", 50_000);
const local = joinSocketAddress("127.0.0.1", 443);

function server(farm: string, id: string, port: number, more: object = {}): Resource {
  return written({ server: { name: `farms/${farm}/servers/${id}`, address: `127.0.0.1:${port}`, ...more } });
}

function route(id: string, match: object, action: object): Resource {
  return written({ route: { name: `listeners/edge/routes/${id}`, match, action } });
}

function edge(more: object = {}): Resource {
  return written({ listener: { name: "listeners/edge", addresses: ["127.0.0.1:443"], ...more } });
}

const base: readonly Resource[] = [
  edge(),
  written({ farm: { name: "farms/web" } }),
  server("web", "a", 1),
  server("web", "b", 2),
  server("web", "c", 3),
  written({ farm: { name: "farms/empty" } }),
  written({ farm: { name: "farms/state" } }),
  server("state", "drain", 11, { state: "SERVER_STATE_DRAIN" }),
  server("state", "out", 12, { state: "SERVER_STATE_MAINTENANCE" }),
  server("state", "zero", 13, { weight: 0 }),
  route("web", { serverNames: ["web.test"] }, { farm: "farms/web" }),
  route("empty", { serverNames: ["empty.test"] }, { farm: "farms/empty" }),
  route("state", { serverNames: ["state.test"] }, { farm: "farms/state" }),
  route("drain", { serverNames: ["drain.test"] }, { server: "farms/state/servers/drain" }),
  route("out", { serverNames: ["out.test"] }, { server: "farms/state/servers/out" }),
  route("zero", { serverNames: ["zero.test"] }, { server: "farms/state/servers/zero" }),
  route("named", { serverNames: ["a.web.test"] }, { server: "farms/web/servers/a" }),
  route("refused", { serverNames: ["refused.test"] }, { reject: {} }),
  route("odd", { serverNames: ["odd.test"] }, { reject: { alert: "ALERT_NO_APPLICATION_PROTOCOL" } }),
  route("h2", { serverNames: ["web.test"], alpnProtocols: ["h2"] }, { server: "farms/web/servers/c" }),
  route("near", { serverNames: ["web.test"], sourceNetworks: ["192.0.2.0/24"], alpnProtocols: ["x"] }, { reject: {} }),
];

/** Servers are where they are configured to be. */
const addresses: ServerAddresses = {
  next: (of) => of.address as SocketAddress,
  isReachable: () => true,
  failed: () => undefined,
  succeeded: () => undefined,
};

/** A router over a configuration, with a clock that is a number. */
class Rig {
  nowMs = 0;
  readonly routing = new Routing(7);
  readonly health = new ServerHealthBoard();
  readonly loads = new ServerLoads();
  readonly traffic = new Traffic();
  readonly ended: (RoutedConnection | undefined)[] = [];
  /** What waiting connections were answered. */
  readonly answered: (readonly [id: number, told: string])[] = [];
  readonly router: ConnectionRouter;
  #connections = 0;

  constructor(...more: readonly Resource[]) {
    const nowMs = (): number => this.nowMs;
    const { routing, health, loads } = this;
    const affinity = new SessionAffinity({ nowMs, publish: () => undefined });
    const known = { affinity, health, addresses, loads };
    const own = { region: "", instance: "n1", sourceTransparent: () => false, random: () => 0 };
    this.router = new ConnectionRouter({
      routing,
      servers: { ...known, dispatch: new ServerDispatch({ routing, ...known, ...own, nowMs }) },
      traffic: this.traffic,
      revision: () => 5,
      nowMs,
      answer: (id, verdict) => this.answered.push([id, told(verdict)]),
      onClosed: (_closed, routed) => this.ended.push(routed),
      onFault: (error) => {
        throw error;
      },
    });
    const resources = new Map([...base, ...more].map((resource) => [resource.name, resource]));
    const changes = [...resources.values()].map((after) => ({ before: null, after }));
    routing.apply(changes);
    affinity.apply(changes);
    health.apply(changes, 0);
  }

  decide(hello: Uint8Array, listener = "listeners/edge"): Verdict {
    this.#connections += 1;
    const id = this.#connections;
    return this.router.decide({ id, listener, source, local, hello: readHello(hello, 16_384) });
  }

  /** Of the servers that are not well. */
  unwell(): readonly string[] {
    return Array.from(this.health.states(this.nowMs), ({ server: name }) => name);
  }

  connected(name: string): ConnectVerdict {
    const verdict = this.decide(helloWith(serverName(name)));
    if (verdict.verdict !== "connect") throw new Error(`not connected: ${told(verdict)}`);
    return verdict;
  }

  close(verdict: Verdict, more: Partial<ClosedConnection> = {}): void {
    const { context } = verdict;
    const times = { acceptedAtMs: 0, helloMs: 0, connectMs: 1, totalMs: 1, connectAttempts: 1 };
    const bytes = { bytesFromClient: 10, bytesFromServer: 20 };
    const record = { id: 1, listener: "listeners/edge", source, reason: "done" as const, context, ...times, ...bytes };
    this.router.closed({ ...record, ...more });
  }
}

/** `reason alert`, or where it goes: `farm's server`. */
function told(verdict: Verdict): string {
  if (verdict.verdict === "wait") return "waits";
  if (verdict.verdict === "reject") return `${verdict.reason} ${verdict.alert}`;
  const { farm, server: to } = verdict.context as RoutedConnection;
  if (to?.address !== verdict.address) throw new Error("another address than the server's");
  return `${farm?.name ?? ""} ${to.name.split("/").at(-1) ?? ""}`;
}

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
    expect(told(new Rig(...more).decide(hello))).toBe(expected);
  });

  it("for a listener that was deleted on its way is unrecognized", () => {
    expect(told(new Rig().decide(helloWith(serverName("web.test")), "listeners/gone"))).toBe(
      "no_route unrecognized_name",
    );
  });

  const malformed = rejectedHellos.filter(({ reason }) => reason !== "not_tls" && reason !== "sslv2_hello");
  it.each(malformed)("that is malformed is never sent to a default, nor to the farm for plain text: $title", (each) => {
    const open = edge({ defaultAction: { farm: "farms/web" }, nonTlsFarm: "farms/plain" });
    const any = route("any", { serverNames: ["*"], noServerName: true }, { farm: "farms/web" });
    expect(told(new Rig(open, any, nonTls, plainServer).decide(each.bytes))).toBe(`${each.reason} decode_error`);
  });

  it("leaves what the access log needs, its name as it was looked up", () => {
    const { context } = new Rig().decide(helloWith(serverName("WEB.test.")));
    const at = { listener: "listeners/edge", route: "listeners/edge/routes/web", revision: 5 };
    expect(context).toMatchObject({ ...at, serverName: "web.test" });
  });
});

describe("a server that can't be reached", () => {
  function attempts(rig: Rig, name: string): string[] {
    let verdict: Verdict = rig.connected(name);
    const all = [told(verdict)];
    for (let attempt = 1; verdict.verdict === "connect" && attempt < 20; attempt += 1) {
      verdict = rig.router.redecide(1, verdict.context, attempt % 2 === 0 ? "timeout" : "refused", attempt);
      all.push(told(verdict));
    }
    return all;
  }

  it("is followed by each other server once, then by an internal error", () => {
    expect(attempts(new Rig(), "web.test")).toEqual([
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
    expect(attempts(new Rig(farm), "web.test")).toEqual(expected);
  });

  it("is never replaced where the route names it", () => {
    expect(attempts(new Rig(), "a.web.test")).toEqual(["farms/web a", "connect_failed internal_error"]);
  });

  it("is passed over by later connections, and tried all the same where all fail", () => {
    const rig = new Rig();
    attempts(rig, "a.web.test");
    const next = Array.from({ length: 4 }, () => told(rig.connected("web.test")));
    expect(next).toEqual(["farms/web b", "farms/web c", "farms/web b", "farms/web c"]);
    attempts(rig, "web.test");
    expect(told(rig.connected("web.test"))).toMatch(/^farms\/web [abc]$/);
  });

  it("is followed by an internal error where the farm went away meanwhile", () => {
    const rig = new Rig();
    const verdict = rig.connected("web.test");
    const gone = base.filter(({ name }) => name.startsWith("farms/web"));
    rig.routing.apply(gone.map((before) => ({ before, after: null })));
    expect(told(rig.router.redecide(1, verdict.context, "refused", 1))).toBe("connect_failed internal_error");
    expect([rig.unwell(), rig.traffic.servers.size]).toEqual([[], 0]);
  });

  it("is followed by servers that were added meanwhile", () => {
    const rig = new Rig();
    const [b, c] = [server("web", "b", 2), server("web", "c", 3)];
    const verdict = rig.connected("web.test");
    const left = [b, c].map((before) => ({ before, after: null }));
    rig.routing.apply([...left, { before: null, after: server("web", "d", 4) }]);
    expect(told(rig.router.redecide(1, verdict.context, "refused", 1))).toBe("farms/web d");
  });

  it("is not held to have failed where it was moved to another address meanwhile", () => {
    const rig = new Rig();
    const verdict = rig.connected("web.test");
    rig.routing.apply([{ before: server("web", "a", 1), after: server("web", "a", 99) }]);
    rig.router.redecide(1, verdict.context, "refused", 1);
    expect(rig.unwell()).toEqual([]);
    expect(rig.traffic.servers.get("farms/web/servers/a")?.connectFailures.get("refused")).toBe(1);
  });
});

describe("the end of a connection", () => {
  it("is counted for its listener and its server, and told with what was decided", () => {
    const rig = new Rig();
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
    const rig = new Rig();
    rig.close({ ...rig.connected("web.test"), context: undefined }, { reason: "hello_timeout", connectMs: -1 });
    expect(rig.traffic.listeners.get("listeners/edge")?.closed).toEqual(new Map([["hello_timeout", 1]]));
    expect(rig.ended).toEqual([undefined]);
  });

  it("shows that a failing server answers, if the connection was made after the failure", () => {
    const rig = new Rig();
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
    const rig = new Rig();
    const verdict = rig.connected("a.web.test");
    rig.router.redecide(1, verdict.context, "refused", 1);
    rig.nowMs = 10;
    rig.close(verdict, { connectMs: -1, reason: "client_gone" });
    expect(rig.health.isHealthy("farms/web/servers/a", 10)).toBe(false);
    expect(rig.traffic.servers.get("farms/web/servers/a")?.connections).toBe(0);
  });

  it("of a listener and a server that have gone leaves nothing behind", () => {
    const rig = new Rig();
    const verdict = rig.connected("web.test");
    rig.routing.apply(base.map((before) => ({ before, after: null })));
    rig.close(verdict);
    expect([rig.traffic.listeners.size, rig.traffic.servers.size, rig.ended.length]).toEqual([0, 0, 1]);
  });
});

describe("a farm without room", () => {
  const small = [server("web", "a", 1, { connectionsMax: 1 }), server("web", "b", 2, { connectionsMax: 1 })];
  const only = [...small, server("web", "c", 3, { state: "SERVER_STATE_MAINTENANCE" })];

  it("lets clients wait, and takes them in their order as places are given back", () => {
    const rig = new Rig(...only);
    const first = rig.connected("web.test");
    rig.connected("web.test");
    const waiting = [1, 2].map(() => rig.decide(helloWith(serverName("web.test"))));
    expect([waiting.map(told), rig.router.waiting.count]).toEqual([["waits", "waits"], 2]);
    rig.close(first);
    expect(rig.answered).toEqual([[3, "farms/web a"]]);
    rig.close(waiting[0] as Verdict);
    expect(rig.answered.at(-1)).toEqual([4, "farms/web a"]);
    rig.close(waiting[1] as Verdict);
    expect([rig.loads.of("farms/web/servers/a"), rig.loads.of("farms/web/servers/b")]).toEqual([0, 1]);
  });

  it("gives the place of an attempt that failed to the one that waits", () => {
    const rig = new Rig(...only, written({ farm: { name: "farms/web", connectAttemptsMax: 1 } }));
    const first = rig.connected("a.web.test");
    rig.connected("web.test");
    expect(told(rig.decide(helloWith(serverName("a.web.test"))))).toBe("waits");
    expect(told(rig.router.redecide(1, first.context, "refused", 1))).toBe("connect_failed internal_error");
    expect(rig.answered).toEqual([[3, "farms/web a"]]);
  });

  it("refuses those for whom its queue has no room", () => {
    const rig = new Rig(...only, written({ farm: { name: "farms/web", queue: { lengthMax: 1 } } }));
    for (let each = 0; each < 2; each += 1) rig.connected("web.test");
    const more = [1, 2].map(() => rig.decide(helloWith(serverName("web.test"))));
    expect(more.map(told)).toEqual(["waits", "queue_full internal_error"]);
    rig.close(more[0] as Verdict, { reason: "client_gone", connectMs: -1 });
    expect(rig.router.waiting.count).toBe(0);
  });
});

describe("what a server says first", () => {
  it.each([
    ["reset without a byte, counts against it", { reason: "server_reset", bytesFromServer: 0 }, false],
    ["reset after an answer, does not", { reason: "server_reset", bytesFromServer: 7 }, true],
    ["nothing, from a server that ends in order, does not", { reason: "done", bytesFromServer: 0 }, true],
  ] as const)("%s", (_law, end, healthy) => {
    const rig = new Rig();
    rig.close(rig.connected("a.web.test"), end);
    expect(rig.health.isHealthy("farms/web/servers/a", rig.nowMs)).toBe(healthy);
  });
});

describe("a farm with a PROXY header", () => {
  it("tells every attempt's server who the client is, and what it announced", () => {
    const proxyProtocol = { version: "PROXY_VERSION_2", tlvs: ["PROXY_TLV_AUTHORITY", "PROXY_TLV_UNIQUE_ID"] };
    const rig = new Rig(written({ farm: { name: "farms/web", proxyProtocol } }));
    const verdict = rig.connected("web.test");
    const again = rig.router.redecide(1, verdict.context, "refused", 1) as ConnectVerdict;
    for (const { prefix } of [verdict, again]) {
      const text = Buffer.from(prefix).toString("latin1");
      expect(text.slice(16, 28)).toBe("\xc0\x00\x02\x07\x7f\x00\x00\x01\xc3\x50\x01\xbb");
      expect(text).toContain("web.test");
      expect(text).toContain("n1-1");
    }
  });
});
