import { describe, expect, it } from "vitest";
import { Commit, CommitInfo } from "../../proto/gen/switchyard/config/v1/commits.ts";
import { Resource } from "../../proto/gen/switchyard/config/v1/resources.ts";
import { PlanRolloutResponse } from "../../proto/gen/switchyard/rollout/v1/rollout_service.ts";
import { textOf } from "./answered-verb.ts";
import type { FakeCalls } from "./fake-control-plane.ts";
import { answering, streaming } from "./fake-control-plane.ts";
import { after } from "./rollout-answers.ts";

const farm = (seconds: bigint): Resource =>
  Resource.fromPartial({ kind: { $case: "farm", value: { name: "farms/web", connectTimeout: { seconds } } } });

describe("rollout plan", () => {
  const planned = PlanRolloutResponse.fromPartial({
    targetRevision: 11n,
    baseRevision: 8n,
    plan: {
      changes: [
        { verb: 2, name: "farms/web", fields: ["connect_timeout"] },
        { verb: 3, name: "farms/web/servers/b" },
        { verb: 1, name: "listeners/edge/routes/shop" },
      ],
    },
    waves: [
      {
        title: "canary",
        wave: { percent: 5, bakeTime: { seconds: 600n } },
        nodes: ["nodes/n1", "nodes/n2", "nodes/n3", "nodes/n4"],
        nodeCount: 50,
        unreachableCount: 2,
      },
      { title: "wave 2", wave: { percent: 100, bakeTime: { seconds: 0n } }, nodes: ["nodes/n9"], nodeCount: 1 },
    ],
    touched: [
      { name: "farms/web/servers/b", connections: 120n, closed: true, detail: "farms/web says so" },
      { name: "listeners/edge", connections: 7n, detail: "it goes on" },
    ],
    hellos: [
      {
        listener: "listeners/edge",
        serverName: "shop.test\u202E",
        alpnProtocols: ["h2", "http/1.1"],
        count: 40n,
        before: "default -> reject unrecognized_name",
        // oxlint-disable-next-line unicorn/no-thenable -- the API's name
        after: "listeners/edge/routes/shop -> farms/web",
      },
    ],
    hellosChanged: 1n,
    hellosSampled: 1200n,
    revisions: [9n, 11n],
    obstacle: "rollouts/r10 is under way",
  });
  const calls: FakeCalls = {
    planRollout: answering(() => planned),
    listCommits: answering(() => ({
      commits: [CommitInfo.fromPartial({ revision: 11n, author: "bob", reason: "shop\u001B[2J", time: after(11) })],
      nextPageToken: "",
    })),
    // One that waits for longer than the listed ones.
    getCommit: answering(() => ({
      commit: Commit.fromPartial({ revision: 9n, author: "alice", reason: "slower", time: after(9) }),
      hash: new Uint8Array(32),
    })),
  };

  it("says what is released, by whom, what changes, who is touched, in which waves, and what stands in the way", async () => {
    expect(await textOf("rollout plan", calls)).toMatchInlineSnapshot(`
      "
      release      revision 11
      instead of   revision 8, and 2 commits since

      REVISION   TIME                   AUTHOR   REASON
      11         2026-11-22 12:51:47Z   bob      shop\\u001b[2J
      9          2026-11-22 12:51:45Z   alice    slower

      ~ farms/web   (connectTimeout)
      - farms/web/servers/b
      + listeners/edge/routes/shop
      routes: 1 to create
      farms: 1 to change
      servers: 1 to delete

      TOUCHED               CONNECTIONS   BECOME       WHY
      farms/web/servers/b   120           CLOSED       farms/web says so
      listeners/edge        7             left alone   it goes on

      WAVE       TAKES   COUNT   UNREACHABLE   BAKES   NODES
      1 canary   5%      50      2             10m     n1,n2,n3,+47 more
      wave 2     rest    1       -             0s      n9

      1 of 1200 sampled hellos would go elsewhere
      LISTENER   SERVER NAME       ALPN          COUNT   NOW                                   THEN
      edge       shop.test\\u202e   h2,http/1.1   40      default -> reject unrecognized_name   listeners/edge/routes/shop -> farms/web

      it can't be started now: rollouts/r10 is under way
      "
    `);
  });

  it("has the whole difference where it is asked for", async () => {
    const state = (timeout: bigint) => [
      {
        part: {
          $case: "header" as const,
          value: {
            epoch: 1n,
            revision: timeout,
            hash: new Uint8Array(0),
            digest: new Uint8Array(0),
            resourceCount: 1n,
            releases: undefined,
          },
        },
      },
      { part: { $case: "resources" as const, value: { resources: [farm(timeout)] } } },
    ];
    const shown = await textOf("rollout plan --diff", {
      ...calls,
      getState: streaming(({ revision }: { revision: bigint }) => state(revision)),
    });
    expect(shown).toContain("~ farms/web\n-     connectTimeout: 8s\n+     connectTimeout: 11s\n");
  });

  it("of nothing says so", async () => {
    const planRollout = answering(() => PlanRolloutResponse.fromPartial({ targetRevision: 2n, baseRevision: 2n }));
    const shown = await textOf("rollout plan -o text", { planRollout });
    expect(shown).toContain("\nnothing changes\n");
    expect(shown).toContain("\nno live connection is touched\n");
  });

  it("asks for the revision and the policy that are named", async () => {
    const asked: unknown[] = [];
    const planRollout = answering((request: unknown) => {
      asked.push(request);
      return planned;
    });
    expect(
      JSON.parse(await textOf("rollout plan --policy careful --revision 7 -o json", { planRollout })),
    ).toMatchObject({
      targetRevision: "11",
      touched: [{ closed: true }, {}],
    });
    await textOf("rollout plan --revision head -o yaml", { planRollout });
    expect(asked).toEqual([
      { targetRevision: 7n, policy: "rolloutPolicies/careful" },
      { targetRevision: 0n, policy: "" },
    ]);
  });
});
