import { describe, expect, it } from "vitest";
import type { CloseReason } from "../../model/reason.ts";
import type { CountedConnection } from "./pending-traffic.ts";
import { Traffic } from "./traffic.ts";

const server = "farms/f/servers/a";

function ended(reason: CloseReason, bytesFromClient: number, bytesFromServer: number): CountedConnection {
  return { reason, bytesFromClient, bytesFromServer, answer: undefined, resumption: null };
}

describe("traffic", () => {
  it("adds up by listener and reason, and by server and failure", () => {
    const traffic = new Traffic();
    traffic.closed("listeners/a", null, server, ended("done", 1, 2));
    traffic.closed("listeners/a", null, null, ended("done", 10, 20));
    traffic.closed("listeners/a", null, null, ended("no_route", 100, 0));
    traffic.closed("listeners/b", null, null, ended("done", 5, 5));
    traffic.connectFailed(server, "refused");
    traffic.connectFailed(server, "refused");
    traffic.connectFailed("farms/f/servers/b", "timeout");
    const { listeners, servers } = traffic;
    const closed = new Map([
      ["done", 2],
      ["no_route", 1],
    ]);
    expect(listeners.get("listeners/a")).toEqual({ closed, bytesFromClients: 111, bytesFromServers: 22 });
    expect(listeners.get("listeners/b")?.bytesFromClients).toBe(5);
    expect(servers.get(server)).toMatchObject({ connections: 1, connectFailures: new Map([["refused", 2]]) });
    expect(servers.get("farms/f/servers/b")).toMatchObject({
      connections: 0,
      connectFailures: new Map([["timeout", 1]]),
    });
  });

  it("has a server's resumptions: every offer, and what came of it", () => {
    const traffic = new Traffic();
    for (const resumption of ["offered", "accepted", "refused", null] as const)
      traffic.closed("listeners/a", null, server, { ...ended("done", 1, 1), resumption });
    expect(Object.fromEntries(traffic.servers.get(server)?.resumptions ?? [])).toEqual({
      offered: 3,
      accepted: 1,
      refused: 1,
    });
  });

  it("forgets what has gone, and nothing else", () => {
    const traffic = new Traffic();
    traffic.closed("listeners/a", null, server, ended("done", 1, 2));
    traffic.closed("listeners/b", null, null, ended("done", 1, 2));
    traffic.forget("listeners/a");
    traffic.forget(server);
    expect([...traffic.listeners.keys()]).toEqual(["listeners/b"]);
    expect(traffic.servers.size).toBe(0);
    expect(traffic.pending.take(10)?.servers.size).toBe(0);
  });
});
