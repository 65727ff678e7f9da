import { describe, expect, it } from "vitest";
import { helloWith, serverName } from "../test/corpus/hello-builder.ts";
import { written } from "../test/support/arbitrary-resource.ts";
import { RouterRig, server, told } from "../test/support/router-rig.ts";
import type { ConnectVerdict, Verdict } from "./engine/engine.ts";

describe("a farm without room", () => {
  const small = [server("web", "a", 1, { connectionsMax: 1 }), server("web", "b", 2, { connectionsMax: 1 })];
  const only = [...small, server("web", "c", 3, { state: "SERVER_STATE_MAINTENANCE" })];

  it("lets clients wait, and takes them in their order as places are given back", () => {
    const rig = new RouterRig(...only);
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
    const rig = new RouterRig(...only, written({ farm: { name: "farms/web", connectAttemptsMax: 1 } }));
    const first = rig.connected("a.web.test");
    rig.connected("web.test");
    expect(told(rig.decide(helloWith(serverName("a.web.test"))))).toBe("waits");
    expect(told(rig.router.redecide(1, first.context, "refused", 1))).toBe("connect_failed internal_error");
    expect(rig.answered).toEqual([[3, "farms/web a"]]);
  });

  it("refuses those for whom its queue has no room", () => {
    const rig = new RouterRig(...only, written({ farm: { name: "farms/web", queue: { lengthMax: 1 } } }));
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
    const rig = new RouterRig();
    rig.close(rig.connected("a.web.test"), end);
    expect(rig.health.isHealthy("farms/web/servers/a", rig.nowMs)).toBe(healthy);
  });
});

describe("a server that failed", () => {
  it("is well as soon as its probe has an answer: nobody waits for that connection's end", () => {
    const rig = new RouterRig();
    rig.router.redecide(1, rig.connected("a.web.test").context, "refused", 1);
    rig.nowMs = 1500;
    const probe = rig.connected("a.web.test");
    rig.nowMs = 1501;
    const named = "farms/web/servers/a";
    expect(rig.health.isHealthy(named, rig.nowMs)).toBe(false);
    rig.router.serverBytes(1, probe.context, Uint8Array.of(22));
    expect(rig.health.isHealthy(named, rig.nowMs)).toBe(true);
  });
});

describe("a farm with a PROXY header", () => {
  it("tells every attempt's server who the client is, and what it announced", () => {
    const proxyProtocol = { version: "PROXY_VERSION_2", tlvs: ["PROXY_TLV_AUTHORITY", "PROXY_TLV_UNIQUE_ID"] };
    const rig = new RouterRig(written({ farm: { name: "farms/web", proxyProtocol } }));
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
