import { describe, expect, it } from "vitest";
import { joinSocketAddress } from "../../model/address.ts";
import { FeedState, ServerHealthState } from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { followedTo, quietState } from "../../test/support/node-state.ts";
import type { UnboundAddress } from "../bindings.ts";
import type { ServerHealthSeen } from "../health/server-health.ts";
import { nodeReport, type NodeState } from "./node-report.ts";

const digest = new Uint8Array(32).fill(9);

function parts(more: Partial<NodeState> = {}): NodeState {
  const follower = followedTo(12, { digest, logPosition: { epoch: 1, revision: 15, hash: new Uint8Array(32) } });
  const clocks = { monotonicMs: 5000, wallMs: 1_700_000_005_000 };
  return quietState(follower, { connections: 3, ...clocks, ...more });
}

function seen(id: string, more: Partial<ServerHealthSeen>): ServerHealthSeen {
  const well = {
    state: "up",
    reason: null,
    detail: "",
    sinceMs: 4000,
    certificateExpiryMs: null,
    lastCheckMs: null,
  } as const;
  return { server: `farms/f/servers/${id}`, ...well, ...more };
}

function unbound(port: number): UnboundAddress {
  const address = joinSocketAddress("127.0.0.1", port);
  return { listener: "listeners/edge", revision: 9, address, reason: "address_in_use", detail: "EADDRINUSE" };
}

describe("a report", () => {
  it("says where the node stands", () => {
    const expected = {
      epoch: 1n,
      revision: 12n,
      logRevision: 15n,
      digest,
      connections: 3n,
      feed: FeedState.FEED_STATE_FOLLOWING,
      draining: false,
      ready: true,
      degraded: [],
      serverHealth: [],
      serverConnections: [],
      farmAffinity: [],
    };
    expect(nodeReport(parts())).toEqual(expected);
  });

  it("says only what is kept, where something is: a node that reports a revision has it after a restart", () => {
    const kept = { position: { epoch: 1, revision: 11, hash: new Uint8Array(32) }, digest: new Uint8Array(32).fill(8) };
    expect(nodeReport(parts({ kept }))).toMatchObject({ revision: 11n, digest: kept.digest });
  });

  it("names a state directory that can't be used", () => {
    const diskFault = { reason: "no_space" as const, detail: "ENOSPC" };
    const expected = [{ name: "state_dir", reason: "no_space", detail: "ENOSPC", revision: 12n }];
    expect(nodeReport(parts({ diskFault })).degraded).toEqual(expected);
  });

  it("lists what could not be carried out, the log first", () => {
    const stalled = { reason: "forked" as const, detail: "another history" };
    const report = nodeReport(parts({ follower: { ...parts().follower, stalled }, unbound: [unbound(443)] }));
    expect(report.degraded).toEqual([
      { name: "log", reason: "forked", detail: "another history", revision: 12n },
      { name: "listeners/edge", reason: "address_in_use", detail: "127.0.0.1:443: EADDRINUSE", revision: 9n },
    ]);
  });

  it("names farms whose servers should see the client's address, on a node that can't do that", () => {
    const { degraded } = nodeReport(parts({ notTransparent: ["farms/f"] }));
    expect(degraded).toMatchObject([{ name: "farms/f", reason: "source_transparent", revision: 12n }]);
  });

  it("lists servers that fail, since when on the wall's clock, and why", () => {
    const expiry = { seconds: 1_800_000_000n, nanos: 0 };
    const since = { seconds: 1_700_000_004n, nanos: 0 };
    const health = [
      seen("a", { state: "ejected", reason: "connect_timeout" }),
      seen("b", { state: "up", certificateExpiryMs: 1_800_000_000_000 }),
    ];
    const { SERVER_HEALTH_STATE_EJECTED: ejected, SERVER_HEALTH_STATE_UP: up } = ServerHealthState;
    expect(nodeReport(parts({ health })).serverHealth).toEqual([
      {
        server: "farms/f/servers/a",
        failing: true,
        reason: "connect_timeout",
        since,
        state: ejected,
        detail: "",
        certificateExpiry: undefined,
      },
      {
        server: "farms/f/servers/b",
        failing: false,
        reason: "",
        since,
        state: up,
        detail: "",
        certificateExpiry: expiry,
      },
    ]);
  });

  it("tells of live connections and of what was found of TLS sessions", () => {
    const report = nodeReport(
      parts({
        serverConnections: new Map([["farms/f/servers/a", 3]]),
        affinity: [["farms/f", { finding: "shared_keys", sentence: "s", advice: "", ticketNames: 2, sessionIds: 3 }]],
      }),
    );
    expect(report.serverConnections).toEqual([{ server: "farms/f/servers/a", connections: 3n }]);
    expect(report.farmAffinity).toEqual([
      { farm: "farms/f", finding: "shared_keys", sentence: "s", advice: "", ticketNames: 2n, sessionIds: 3n },
    ]);
  });

  it("stays within what the control plane takes, whatever is wrong with the node", () => {
    const health = Array.from({ length: 12_000 }, (_, id) => seen(`s${id}`, { state: "down" }));
    const serverConnections = health.map(({ server }) => [server, 1] as const);
    const all = Array.from({ length: 1500 }, (_, index) => unbound(index + 1));
    const stalled = { reason: "forked" as const, detail: "another history" };
    const follower = { ...parts().follower, stalled };
    const report = nodeReport(parts({ health, serverConnections, unbound: all, follower }));
    const { degraded, serverHealth } = report;
    expect([degraded.length, serverHealth.length, report.serverConnections.length]).toEqual([1000, 10_000, 1000]);
    expect(report.degraded[0]?.name).toBe("log");
  });
});
