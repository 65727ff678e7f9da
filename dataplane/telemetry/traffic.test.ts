import { describe, expect, it } from "vitest";
import { Traffic } from "./traffic.ts";

describe("traffic", () => {
  it("adds up by listener and reason, and by server and failure", () => {
    const traffic = new Traffic();
    traffic.closed("listeners/a", "done", 1, 2);
    traffic.closed("listeners/a", "done", 10, 20);
    traffic.closed("listeners/a", "no_route", 100, 0);
    traffic.closed("listeners/b", "done", 5, 5);
    traffic.connected("farms/f/servers/a");
    traffic.connectFailed("farms/f/servers/a", "refused");
    traffic.connectFailed("farms/f/servers/a", "refused");
    traffic.connectFailed("farms/f/servers/b", "timeout");
    const { listeners, servers } = traffic;
    const closed = new Map([
      ["done", 2],
      ["no_route", 1],
    ]);
    expect(listeners.get("listeners/a")).toEqual({ closed, bytesFromClients: 111, bytesFromServers: 22 });
    expect(listeners.get("listeners/b")?.bytesFromClients).toBe(5);
    expect(servers.get("farms/f/servers/a")).toEqual({ connections: 1, connectFailures: new Map([["refused", 2]]) });
    expect(servers.get("farms/f/servers/b")).toEqual({ connections: 0, connectFailures: new Map([["timeout", 1]]) });
  });

  it("forgets what has gone, and nothing else", () => {
    const traffic = new Traffic();
    traffic.closed("listeners/a", "done", 1, 2);
    traffic.closed("listeners/b", "done", 1, 2);
    traffic.connected("farms/f/servers/a");
    traffic.forget("listeners/a");
    traffic.forget("farms/f/servers/a");
    expect([...traffic.listeners.keys()]).toEqual(["listeners/b"]);
    expect(traffic.servers.size).toBe(0);
  });
});
