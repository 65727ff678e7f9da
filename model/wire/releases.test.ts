import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { arbitraryHistory, commitOf } from "../../test/support/arbitrary-release.ts";
import { written } from "../../test/support/arbitrary-resource.ts";
import { SnapshotHeader } from "../../proto/gen/switchyard/config/v1/commits.ts";
import { Releases as WireReleases } from "../../proto/gen/switchyard/config/v1/releases.ts";
import { type Commit, origin } from "../commit.ts";
import { Configuration } from "../configuration.ts";
import { joinedBytes } from "../joined-bytes.ts";
import { effectiveRevision, nothingReleased, releasesAfter } from "../releases.ts";
import type { Violation } from "../violation.ts";
import { sealCommit } from "./commit.ts";
import { parseReleases, releasesToWire } from "./releases.ts";
import { decodeSnapshot, encodeSnapshotParts, restoreSnapshot, snapshotHeader, SnapshotInvalid } from "./snapshot.ts";
import { openStoredSnapshot } from "./stored-snapshot.ts";

function folded(commits: readonly Commit[], configuration = new Configuration()): Configuration {
  for (const commit of commits) {
    const { hash } = sealCommit(commit);
    configuration.apply(commit, { epoch: commit.epoch, revision: commit.revision, hash });
  }
  return configuration;
}

const bytesOf = (configuration: Configuration): Uint8Array => joinedBytes([...encodeSnapshotParts(configuration, 3)]);

const longHistory = fc.tuple(arbitraryHistory, fc.nat({ max: 8 }));

test("what is released comes back from the wire as it was, whatever the events were", () => {
  fc.assert(
    fc.property(arbitraryHistory, (commits) => {
      const releases = commits.reduce(releasesAfter, nothingReleased);
      const message = WireReleases.decode(WireReleases.encode(releasesToWire(releases)).finish());
      const violations: Violation[] = [];
      expect(parseReleases(message, commits.length, "releases", violations)).toEqual(releases);
      expect(violations).toEqual([]);
    }),
  );
});

describe("from a snapshot and the commits after it", () => {
  const ways: readonly (readonly [string, (body: Uint8Array) => Configuration])[] = [
    ["that is checked", decodeSnapshot],
    ["that is taken on trust", openStoredSnapshot],
  ];
  test.each(ways)("%s, everyone agrees on what each node runs, as from the log's start", (_what, open) => {
    const nodes = ["eu", "us", ""].flatMap((region) =>
      ["a", "b", "c"].map((id) => ({ id, region, labels: { tier: "edge", rack: "7" } })),
    );
    fc.assert(
      fc.property(longHistory, ([commits, at]) => {
        const whole = folded(commits);
        const joined = folded(commits.slice(at), open(bytesOf(folded(commits.slice(0, at)))));
        expect(joined.releases).toEqual(whole.releases);
        expect(joined.digest).toEqual(whole.digest);
        expect(joined.position.revision).toBe(whole.position.revision);
        for (const node of nodes)
          expect(effectiveRevision(node, joined.releases)).toBe(effectiveRevision(node, whole.releases));
      }),
      { numRuns: 60 },
    );
  });
});

describe("a snapshot's header", () => {
  const farm = written({ farm: { name: "farms/web" } });
  const policy = written({ rolloutPolicy: { name: "rolloutPolicies/default", staged: { waves: [{ percent: 5 }] } } });
  const plain = [commitOf(1, [{ type: "created", resource: farm }]), commitOf(2, [])];

  test("says nothing of releases where the revision is released to all, and so has the bytes that it had", () => {
    for (const each of [folded([]), folded(plain.slice(0, 1)), folded(plain)]) {
      const header = snapshotHeader(each);
      expect(header.releases).toBeUndefined();
      const { epoch, revision, hash, digest, resourceCount } = header;
      const before = SnapshotHeader.encode({ epoch, revision, hash, digest, resourceCount, releases: undefined });
      expect(SnapshotHeader.encode(header).finish()).toEqual(before.finish());
      expect(decodeSnapshot(bytesOf(each)).releases).toEqual(each.releases);
    }
  });

  test("says what is released where anything waits", () => {
    const waiting = folded([
      ...plain,
      commitOf(3, [{ type: "created", resource: policy }]),
      commitOf(4, [{ type: "deleted", name: farm.name }]),
    ]);
    expect(snapshotHeader(waiting).releases).toMatchObject({ baseRevision: 3n, latestRevision: 4n, staged: true });
  });

  const good = releasesToWire(nothingReleased);
  const layer = { rollout: "rollouts/a", revision: 1n, waves: [] };
  const record = { started: undefined, state: 1 as const, releasedWaves: 0, decisions: [] };
  const started = {
    rollout: "rollouts/a",
    targetRevision: 1n,
    targetDigest: new Uint8Array(32),
    policy: "",
    staged: {
      waves: [{ title: "", regions: [], labels: {}, percent: 1 }],
      gates: undefined,
      onFailure: 1 as const,
      startAutomatically: false,
    },
    emergency: false,
  };
  const decision = {
    step: "started",
    revision: 1n,
    time: { seconds: 0n, nanos: 0 },
    author: "",
    reason: "",
    releasedWaves: 0,
    promoted: false,
    failedGate: "",
    judgement: undefined,
  };
  const decided = (part: Partial<typeof decision> | { time: undefined }): Partial<WireReleases> => ({
    rollouts: [{ ...record, started, decisions: [{ ...decision, ...part }] }],
  });
  const cases: readonly (readonly [what: string, Partial<WireReleases>, field: string])[] = [
    ["a base that is not there yet", { baseRevision: 3n }, "releases.base_revision: "],
    ["a newest revision that is not there yet", { latestRevision: 3n }, "releases.latest_revision: "],
    [
      "a layer of a revision that is not there yet",
      { layers: [{ ...layer, revision: 3n }] },
      "releases.layers[0].revision: ",
    ],
    ["a layer of nobody", { layers: [{ ...layer, rollout: "" }] }, "releases.layers[0].rollout: "],
    [
      "a layer of a wave of 101 percent",
      { layers: [{ ...layer, waves: [{ title: "", regions: [], labels: {}, percent: 101 }] }] },
      "releases.layers[0].waves[0].percent: ",
    ],
    [
      "a prior base that is not there yet",
      { prior: { baseRevision: 3n, layers: [] } },
      "releases.prior.base_revision: ",
    ],
    ["a rollout without a start", { rollouts: [record] }, "releases.rollouts[0].started: "],
    ["a rollout without a state", { rollouts: [{ ...record, started, state: 0 }] }, "releases.rollouts[0].state: "],
    [
      "a target that is not there yet",
      { rollouts: [{ ...record, started: { ...started, targetRevision: 3n } }] },
      "releases.rollouts[0].started.target_revision: ",
    ],
    [
      "34 released waves",
      { rollouts: [{ ...record, started, releasedWaves: 34 }] },
      "releases.rollouts[0].released_waves: ",
    ],
    ["an unknown step", decided({ step: "hoped" }), "releases.rollouts[0].decisions[0].step: "],
    ["a decision without a time", decided({ time: undefined }), "releases.rollouts[0].decisions[0].time: "],
    ["an unknown gate", decided({ failedGate: "luck" }), "releases.rollouts[0].decisions[0].failed_gate: "],
  ];
  test.each(cases)("is refused for %s", (_what, part, field) => {
    const configuration = folded(plain);
    const header = { ...snapshotHeader(configuration), releases: { ...good, ...part } };
    const restore = (): unknown => restoreSnapshot(header, []);
    expect(restore).toThrow(SnapshotInvalid);
    expect(restore).toThrow(field);
  });

  test("is taken with all of that in order", () => {
    const header = {
      ...snapshotHeader(new Configuration()),
      revision: 2n,
      releases: { ...good, layers: [layer], ...decided({}) },
    };
    expect(restoreSnapshot(header, []).releases).toMatchObject({
      layers: [{ revision: 1 }],
      rollouts: [{ state: "running" }],
    });
    expect(origin.revision).toBe(0);
  });
});
