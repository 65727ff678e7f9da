import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { Commit, CommitInfo } from "../../proto/gen/switchyard/config/v1/commits.ts";
import { StagedRelease } from "../../proto/gen/switchyard/config/v1/resources.ts";
import { answered, textOf } from "./answered-verb.ts";
import type { FakeCalls } from "./fake-control-plane.ts";
import { answering, refusal } from "./fake-control-plane.ts";
import { after, completed, pausedByGate, rolledBack, rollout } from "./rollout-answers.ts";

const commit = (revision: bigint, author: string, reason: string): CommitInfo =>
  CommitInfo.fromPartial({ revision, author, reason, time: after(Number(revision)) });

describe("rollout status and list", () => {
  it("a rollout under way", async () => {
    expect(
      await textOf("rollout status", { getRollout: answering(() => ({ rollout: rollout() })) }),
    ).toMatchInlineSnapshot(`
      "
      rollout    rollouts/r12, running
      revision   11, in 3 waves by rolloutPolicies/default; on a failed gate: roll back
      started    2026-11-22 12:51:36Z by alice: new shop
      last step  released 2 europe, 2026-11-22 12:52:36Z by controller

      1 canary    ########################################  done; 5 of 5 applied
      2 europe    ##################----------------!!????  applying, 4m12s left; 9 of 20 applied, 1 refused, 1 crashed, 2 unreachable
          eu-1    ##################!!                      9 of 10 applied, 1 refused, 1 crashed
          eu-2    ----------------????                      0 of 10 applied, 2 unreachable
      3 the rest  .......................................?  pending; 75 nodes, 1 unreachable
      # applied   - released   ! refused   ? unreachable   . not released

      gates of 2 europe
        GATE               OUTCOME   OBSERVED   AGAINST   SAMPLE      P      DETAIL
        applied            waiting   50%        95%       -           -      9 of 18
        refused            passed    1          1         -           -      -
        connect_failures   passed    0.21%      0.2%      1400:9000   0.43   -

      18 of 20 nodes are reachable; the rest follows once 95% of those have applied and 5 minutes have passed.
      "
    `);
  });

  it("one that a gate ended, with its figures", async () => {
    const getRollout = answering(() => ({ rollout: rolledBack }));
    expect(await textOf("rollout status r12 --decisions", { getRollout })).toMatchInlineSnapshot(`
      "
      rollout    rollouts/r12, ROLLED BACK
      revision   11, in 1 wave by rolloutPolicies/default; on a failed gate: roll back
      started    2026-11-22 12:51:36Z by alice: new shop
      last step  rolled back: gate connect_failures failed in wave 2, 2026-11-22 12:53:06Z by controller

      1 europe  ....................................????  cancelled; 20 nodes, 2 unreachable
      # applied   - released   ! refused   ? unreachable   . not released

      18 of 20 nodes are reachable; the rest follows once 95% of those have applied and 5 minutes have passed.

      revision 12   2026-11-22 12:51:36Z   alice   started: new shop
      revision 12   2026-11-22 12:51:36Z   alice   released 1 europe: new shop
      revision 13   2026-11-22 12:52:36Z   controller   released wave 2
      revision 15   2026-11-22 12:53:06Z   controller   rolled back: gate connect_failures failed in wave 2
          wave 2: 18 of 18 reachable nodes applied; 2 unreachable
          GATE               OUTCOME   OBSERVED   AGAINST   SAMPLE      P        DETAIL
          connect_failures   FAILED    5.3%       0.21%     1400:9000   2.0e-5   5.3% of connections reach no server on released nodes, 0.21% on the others
      "
    `);
    expect(JSON.parse(await textOf("rollout status -o json", { getRollout }))).toMatchObject({ targetRevision: "11" });
    expect(await textOf("rollout status -o yaml", { getRollout })).toContain("state: ROLLOUT_STATE_ROLLED_BACK\n");
  });

  it("the newest first, all pages of them", async () => {
    const emergency = rollout({ ...completed, name: "rollouts/emergency-9\u202E", emergency: true });
    const listRollouts = answering(({ pageToken }: { pageToken: string }) =>
      pageToken === ""
        ? { rollouts: [pausedByGate], nextPageToken: "more" }
        : { rollouts: [emergency], nextPageToken: "" },
    );
    expect(await textOf("rollout list", { listRollouts })).toMatchInlineSnapshot(`
      "
      NAME                         STATE       REVISION   WAVES   POLICY      STARTED                AUTHOR   REASON
      rollouts/r12                 PAUSED      11         2/3     default     2026-11-22 12:51:36Z   alice    new shop
      rollouts/emergency-9\\u202e   completed   11         2/1     EMERGENCY   2026-11-22 12:51:36Z   alice    new shop
      "
    `);
    expect(await textOf("rollout list -n 1", { listRollouts })).not.toContain("emergency");
    expect(
      await answered("rollout list", { listRollouts: answering(() => ({ rollouts: [], nextPageToken: "" })) }),
    ).toEqual({
      code: 0,
      stdout: "",
      stderr: "no rollouts\n",
    });
  });
});

describe("switchyard status", () => {
  const fleet: FakeCalls = {
    getFleet: answering(() => ({ revision: 13n, epoch: 1n, regions: [], replicas: ["cp-1"] })),
    listNodes: answering(() => ({ nodes: [], nextPageToken: "", revision: 13n })),
    listCommits: answering(() => ({ commits: [], nextPageToken: "" })),
  };
  const none = refusal(status.NOT_FOUND, "there are no rollouts", { reason: "NOT_FOUND" });
  const cases: readonly (readonly [string, FakeCalls, RegExp])[] = [
    [
      "names the rollout under way",
      { getRollout: answering(() => ({ rollout: rollout() })) },
      /\nrollout {9}rollouts\/r12 running: revision 11, 2 of 3 waves released\n/,
    ],
    ["or paused", { getRollout: answering(() => ({ rollout: pausedByGate })) }, /rollouts\/r12 PAUSED: /],
    ["not one that has ended", { getRollout: answering(() => ({ rollout: rolledBack })) }, /has reported\n$/],
    [
      "nor where there was none",
      {
        getRollout: answering(() => {
          throw none;
        }),
      },
      /has reported\n$/,
    ],
    ["nor where rollouts are not known", {}, /has reported\n$/],
  ];
  it.each(cases)("%s", async (_, calls, shown) => {
    expect(await textOf("status", { ...fleet, ...calls })).toMatch(shown);
  });
});

describe("what commits did to rollouts", () => {
  it("stands in the history beside the reason", async () => {
    const commits = [
      CommitInfo.fromPartial({
        ...commit(3n, "controller", ""),
        releases: ["rollouts/r2 rolled back: gate lost failed"],
      }),
      CommitInfo.fromPartial({
        ...commit(2n, "bob", "new shop"),
        releases: ["rollouts/r2 started", "wave 1 released"],
      }),
      commit(1n, "bob", "first"),
    ];
    const listCommits = answering(() => ({ commits, nextPageToken: "" }));
    expect(await textOf("history", { listCommits })).toMatchInlineSnapshot(`
      "
      REVISION   TIME                   AUTHOR       EVENTS   REASON
      3          2026-11-22 12:51:39Z   controller   0        rollouts/r2 rolled back: gate lost failed
      2          2026-11-22 12:51:38Z   bob          0        new shop (rollouts/r2 started; wave 1 released)
      1          2026-11-22 12:51:37Z   bob          0        first
      "
    `);
  });

  it("is shown with what it was decided by", async () => {
    const judgement = rolledBack.decisions.at(-1)?.judgement;
    const rollouts = { rollout: "rollouts/r12" };
    const facts: Commit["events"][number]["fact"][] = [
      {
        $case: "rolloutStarted",
        value: {
          ...rollouts,
          targetRevision: 11n,
          targetDigest: new Uint8Array(32),
          policy: "",
          staged: StagedRelease.fromPartial({ waves: [{ percent: 100 }] }),
          emergency: true,
        },
      },
      { $case: "waveReleased", value: { ...rollouts, wave: 1, judgement: undefined, promoted: true } },
      { $case: "rolloutPaused", value: { ...rollouts, failedGate: "", judgement: undefined } },
      { $case: "rolloutResumed", value: rollouts },
      { $case: "rolloutAborted", value: rollouts },
      { $case: "rolloutCompleted", value: { ...rollouts, promoted: false, judgement: undefined } },
      { $case: "rolloutRolledBack", value: { ...rollouts, failedGate: "connect_failures", judgement } },
    ];
    const shown = await textOf("show 13", {
      getCommit: answering(() => ({
        commit: Commit.fromPartial({ revision: 13n, events: facts.map((fact) => ({ schemaVersion: 3, fact })) }),
        hash: new Uint8Array(32),
      })),
    });
    expect(shown.slice(shown.indexOf("\n\n"))).toMatchInlineSnapshot(`
      "

      * rollouts/r12 released revision 11 to all nodes at once, as an EMERGENCY
      * rollouts/r12 released wave 2, promoted by an operator
      * rollouts/r12 was paused by an operator
      * rollouts/r12 was resumed
      * rollouts/r12 was aborted: released nodes keep its revision
      * rollouts/r12 was completed: every node is released
      * rollouts/r12 was rolled back: the gate connect_failures failed
            wave 2: 18 of 18 reachable nodes applied; 2 unreachable
            GATE               OUTCOME   OBSERVED   AGAINST   SAMPLE      P        DETAIL
            connect_failures   FAILED    5.3%       0.21%     1400:9000   2.0e-5   5.3% of connections reach no server on released nodes, 0.21% on the others
      "
    `);
  });
});
