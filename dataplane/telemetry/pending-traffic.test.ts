import { describe, expect, it } from "vitest";
import { PendingTraffic } from "./pending-traffic.ts";

const ended = {
  reason: "done" as const,
  bytesFromClient: 3,
  bytesFromServer: 5,
  answer: "alert" as const,
  resumption: null,
};
const refused = {
  reason: "no_route" as const,
  bytesFromClient: 1,
  bytesFromServer: 0,
  answer: undefined,
  resumption: null,
};

describe("traffic that is yet to be told", () => {
  it("is by route, by server, and without either", () => {
    const traffic = new PendingTraffic();
    traffic.closed("r", "s", ended);
    traffic.closed("r", null, refused);
    traffic.closed(null, null, refused);
    traffic.connectFailed("t", "connect_timeout");
    const taken = traffic.take(10);
    const [r, s, t] = [taken?.routes.get("r"), taken?.servers.get("s"), taken?.servers.get("t")];
    expect(r).toMatchObject({ connections: 2, bytesFromClients: 4, bytesFromServers: 5 });
    expect([...(r?.ended ?? [])]).toEqual([
      ["done", 1],
      ["no_route", 1],
    ]);
    expect([...(r?.handshakes ?? [])]).toEqual([["alert", 1]]);
    expect(s).toMatchObject({ connections: 1 });
    expect([t?.connections, [...(t?.ended ?? [])]]).toEqual([0, [["connect_timeout", 1]]]);
    expect(taken?.unrouted).toMatchObject({ connections: 1, bytesFromClients: 1 });
  });

  it("has every offer to resume, and what came of those that were answered", () => {
    const traffic = new PendingTraffic();
    for (const resumption of ["offered", "accepted", "accepted", "refused", null] as const)
      traffic.closed("r", "s", { ...ended, resumption });
    const taken = traffic.take(10);
    const counts = { offered: 4, accepted: 2, refused: 1 };
    expect(Object.fromEntries(taken?.routes.get("r")?.resumptions ?? [])).toEqual(counts);
    expect(Object.fromEntries(taken?.servers.get("s")?.resumptions ?? [])).toEqual(counts);
    if (taken !== undefined) traffic.putBack(taken);
    expect(Object.fromEntries(traffic.take(10)?.routes.get("r")?.resumptions ?? [])).toEqual(counts);
  });

  it("is told once", () => {
    const traffic = new PendingTraffic();
    traffic.closed("r", null, ended);
    expect(traffic.take(10)?.routes.size).toBe(1);
    expect([traffic.empty, traffic.take(10)]).toEqual([true, undefined]);
  });

  it("is what came since and what did not leave, together", () => {
    const traffic = new PendingTraffic();
    for (const route of ["r", "q", null]) traffic.closed(route, "s", ended);
    const taken = traffic.take(10);
    for (const route of ["r", null]) traffic.closed(route, "s", ended);
    if (taken !== undefined) traffic.putBack(taken);
    const again = traffic.take(10);
    const counts = ["r", "q"].map((route) => again?.routes.get(route)?.connections);
    expect([counts, again?.servers.get("s")?.connections, again?.unrouted.connections]).toEqual([[2, 1], 5, 2]);
    expect([...(again?.routes.get("r")?.handshakes ?? [])]).toEqual([["alert", 2]]);
  });

  it("is handed over in parts, and each count is in one of them", () => {
    const traffic = new PendingTraffic();
    for (let each = 0; each < 7; each += 1) traffic.closed(`r${each}`, "s", ended);
    const parts = [traffic.take(3), traffic.take(3), traffic.take(3), traffic.take(3)];
    expect(parts.map((part) => part?.routes.size)).toEqual([3, 3, 1, undefined]);
    expect(new Set(parts.flatMap((part) => [...(part?.routes.keys() ?? [])])).size).toBe(7);
    expect(parts.map((part) => part?.servers.get("s")?.connections)).toEqual([7, undefined, undefined, undefined]);
  });

  it("has a bound, and forgets what has gone", () => {
    const traffic = new PendingTraffic();
    for (let each = 0; each < 100_010; each += 1) traffic.closed(`r${each}`, null, ended);
    traffic.closed("r5", null, ended);
    traffic.forget("r6");
    const taken = traffic.take(1_000_000);
    expect([taken?.routes.size, taken?.routes.get("r5")?.connections]).toEqual([99_999, 2]);
  });
});
