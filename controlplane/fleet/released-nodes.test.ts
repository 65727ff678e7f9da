import { describe, expect, test } from "vitest";
import { nothingReleased, type Releases } from "../../model/releases.ts";
import { wholeFleet } from "../../model/rollout-policy.ts";
import {
  DigestMatch,
  NodeHello,
  NodeReport,
  type WatchFleetResponse,
} from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import type { LiveConfiguration } from "../state/live-configuration.ts";
import type { FleetNode, LogView } from "./fleet-node.ts";
import { summaries } from "./fleet-summary.ts";
import { FleetView } from "./fleet-view.ts";
import { FleetWatchers } from "./watch-fleet.ts";

/** The digest of a revision in these tests; steps of rollouts, from 5 on, change nothing. */
const digestOf = (revision: number): Uint8Array => new Uint8Array(32).fill(Math.min(revision, 4));
const digestAt = (revision: number): Uint8Array | undefined => (revision > 6 ? undefined : digestOf(revision));
const layer = (revision: number, canary: string) => ({
  rollout: "rollouts/r5" as const,
  revision,
  waves: [{ ...wholeFleet, labels: { canary } }],
});
/** Revision 2 is everywhere but on the canary, which has 4; 5 and 6 are steps of rollouts. */
const releases: Releases = { ...nothingReleased, base: 2, latest: 4, layers: [layer(4, "yes")] };
const log: LogView = { epoch: 1, revision: 6, releases, digestAt };

function connected(labels: Record<string, string>, revision: number, digest = digestOf(revision)) {
  const view = new FleetView("cp-1");
  const node = view.connect(NodeHello.fromPartial({ nodeId: "n", region: "eu", labels }), 0) as FleetNode;
  view.report(node, NodeReport.fromPartial({ revision: BigInt(revision), digest, logRevision: 6n }), 0);
  return view;
}

describe("a node is held against what is released to it", () => {
  const canary = { canary: "yes" };
  const { DIGEST_MATCH_EQUAL: equal, DIGEST_MATCH_DIFFERENT: different, DIGEST_MATCH_UNKNOWN: unknown } = DigestMatch;
  test.each([
    { is: "a node at the base", labels: {}, revision: 2, effective: 2n, lag: 0n, match: equal, current: 1 },
    { is: "a node behind it", labels: {}, revision: 1, effective: 2n, lag: 1n, match: equal, current: 0 },
    { is: "one that has yet to step back", labels: {}, revision: 4, effective: 2n, lag: 0n, match: equal, current: 0 },
    { is: "the canary", labels: canary, revision: 4, effective: 4n, lag: 0n, match: equal, current: 1 },
    { is: "the canary before", labels: canary, revision: 2, effective: 4n, lag: 2n, match: equal, current: 0 },
    { is: "one past steps of rollouts", labels: canary, revision: 6, effective: 4n, lag: 0n, match: equal, current: 1 },
    {
      is: "one that is too far to tell",
      labels: canary,
      revision: 7,
      effective: 4n,
      lag: 0n,
      match: unknown,
      current: 0,
    },
  ])("$is: revision $revision of $effective", ({ labels, revision, effective, lag, match, current }) => {
    const view = connected(labels, revision);
    expect(view.node("n", log)).toMatchObject({
      effectiveRevision: effective,
      logRevision: 6n,
      lag,
      digestMatch: match,
    });
    expect(summaries(view.shown(), log)).toMatchObject([{ region: "eu", current, lagMax: lag }]);
    const drifted = connected(labels, revision, new Uint8Array(32).fill(9));
    expect(summaries(drifted.shown(), log)).toMatchObject([{ current: 0, different: match === unknown ? 0 : 1 }]);
    if (match !== unknown) expect(drifted.node("n", log)?.digestMatch).toBe(different);
  });
});

test("who watches the fleet is sent a node again that is released to, or taken back, though it says nothing", async () => {
  const view = connected({ canary: "yes" }, 2);
  const now = { ...log };
  const live = { catchUp: async () => undefined } as unknown as LiveConfiguration;
  const stop = new AbortController();
  const told: (bigint | undefined)[] = [];
  let heard: (() => void) | undefined;
  const send = async ({ nodes }: WatchFleetResponse): Promise<void> => {
    told.push(...nodes.map(({ effectiveRevision }) => effectiveRevision));
    heard?.();
  };
  const minInterval = { seconds: 0n, nanos: 100_000_000 };
  const ended = new FleetWatchers().watch({ live, view, log: now }, { minInterval }, send, stop.signal);
  const next = (): Promise<void> => new Promise((resolve) => (heard = resolve));
  if (told.length === 0) await next();
  expect(told).toEqual([4n]);
  Object.assign(now, { revision: 7, releases: { ...releases, layers: [] } });
  await next();
  expect(told).toEqual([4n, 2n]);
  Object.assign(now, { revision: 8, releases });
  await next();
  expect(told).toEqual([4n, 2n, 4n]);
  stop.abort();
  await ended;
});
