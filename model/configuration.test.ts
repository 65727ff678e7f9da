import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { origin, type Position } from "./commit.ts";
import { Configuration } from "./configuration.ts";
import { difference } from "./difference.ts";
import type { ConfigEvent } from "./event.ts";
import type { Resource } from "./resource.ts";
import { atOnce } from "./steps.ts";
import { arbitraryHistory, commitOf } from "../test/support/arbitrary-release.ts";
import { arbitraryResource, written } from "../test/support/arbitrary-resource.ts";

const at = (revision: number): Position => ({ epoch: 1, revision, hash: new Uint8Array(32).fill(revision) });

function folded(events: readonly ConfigEvent[], configuration = new Configuration()): Configuration {
  const revision = configuration.position.revision + 1;
  const commit = { epoch: 1, revision, parentHash: origin.hash, requestId: "", requestDigest: origin.hash };
  configuration.apply({ ...commit, author: "", reason: "", timeMs: 0, events }, at(revision));
  return configuration;
}

const created = (resource: Resource): ConfigEvent => ({ type: "created", resource });
const byName = fc.uniqueArray(arbitraryResource, { selector: (resource) => resource.name, maxLength: 30 });

describe("the digest", () => {
  test("of nothing is zero", () => {
    expect(new Configuration().digest).toEqual(new Uint8Array(32));
  });

  test("does not depend on the order in which resources came, nor on commits", () => {
    const shuffled = byName.chain((resources) =>
      fc.tuple(fc.constant(resources), fc.shuffledSubarray(resources, { minLength: resources.length })),
    );
    fc.assert(
      fc.property(shuffled, ([resources, others]) => {
        const oneByOne = new Configuration();
        for (const resource of others) folded([created(resource)], oneByOne);
        expect(oneByOne.digest).toEqual(folded(resources.map(created)).digest);
        expect(Configuration.restore(at(1), others).digest).toEqual(oneByOne.digest);
      }),
    );
  });

  test("forgets what was deleted and what was replaced", () => {
    fc.assert(
      fc.property(byName, byName, (kept, gone) => {
        const names = new Set(kept.map((resource) => resource.name));
        const extra = gone.filter((resource) => !names.has(resource.name));
        const configuration = folded([...kept, ...extra].map(created));
        folded(
          extra.map((resource): ConfigEvent => ({ type: "deleted", name: resource.name })),
          configuration,
        );
        folded(
          kept.map((resource): ConfigEvent => ({ type: "updated", resource })),
          configuration,
        );
        expect(configuration.digest).toEqual(folded(kept.map(created)).digest);
        expect(configuration.size).toBe(kept.length);
      }),
    );
  });

  test("changes with any resource that is another", () => {
    fc.assert(
      fc.property(arbitraryResource, arbitraryResource, (one, other) => {
        const same =
          difference(Configuration.restore(at(1), [one]), Configuration.restore(at(1), [other])).length === 0;
        const [first, second] = [folded([created(one)]), folded([created(other)])];
        expect(Buffer.compare(first.digest, second.digest) === 0).toBe(same);
      }),
    );
  });
});

describe("the fold", () => {
  const [resource] = fc.sample(arbitraryResource, { numRuns: 1, seed: 1 }) as [Resource];

  test("tells what was before and what is after", () => {
    const configuration = new Configuration();
    const apply = (events: readonly ConfigEvent[]) => {
      const commit = { epoch: 1, revision: 1, parentHash: origin.hash, requestId: "", requestDigest: origin.hash };
      return configuration.apply({ ...commit, author: "", reason: "", timeMs: 0, events }, at(1));
    };
    expect(apply([created(resource)])).toEqual([{ before: null, after: resource }]);
    expect(apply([{ type: "updated", resource }])).toEqual([{ before: resource, after: resource }]);
    expect(apply([{ type: "deleted", name: resource.name }])).toEqual([{ before: resource, after: null }]);
  });

  test("is total: what a faulty decider recorded still folds", () => {
    const twice = folded([created(resource), created(resource)]);
    expect(twice.digest).toEqual(folded([created(resource)]).digest);
    const gone = folded([{ type: "deleted", name: resource.name }]);
    expect(gone.digest).toEqual(new Uint8Array(32));
  });
});

test("the difference of two configurations leads from the one to the other", () => {
  fc.assert(
    fc.property(byName, byName, (from, to) => {
      const [start, end] = [Configuration.restore(at(1), from), Configuration.restore(at(2), to)];
      const events = difference(start, end).map(({ before, after }): ConfigEvent => {
        if (after !== null) return created(after);
        return { type: "deleted", name: (before as Resource).name };
      });
      expect(folded(events, start).digest).toEqual(end.digest);
    }),
  );
});

describe("taking a commit back", () => {
  /** All that there is to see of a configuration; the order of resources is not part of it. */
  const seen = (configuration: Configuration): unknown => {
    const { position, releases, digest, size } = configuration;
    return {
      position,
      releases,
      digest,
      size,
      resources: new Map([...configuration.resources()].map((each) => [each.name, each])),
    };
  };

  test("leaves what was there before it: resources, digest, position and what was released", () => {
    fc.assert(
      fc.property(arbitraryHistory, (commits) => {
        const configuration = new Configuration();
        const done = commits.map((commit) => {
          const { position, releases } = configuration;
          const before = seen(configuration);
          return { before, back: { position, releases }, changes: configuration.apply(commit, at(commit.revision)) };
        });
        for (const { before, back, changes } of done.reverse()) {
          const undone = atOnce(configuration.undoing(changes, back));
          expect(seen(configuration)).toEqual(before);
          expect(undone.map((change) => ({ before: change.after, after: change.before })).reverse()).toEqual(changes);
        }
        expect(configuration.size).toBe(0);
      }),
    );
  });

  test("of many changes is done in steps between which others may run", () => {
    const configuration = new Configuration();
    const resources = Array.from({ length: 1000 }, (_, index) => written({ farm: { name: `farms/f${index}` } }));
    const commit = commitOf(1, resources.map(created));
    const changes = configuration.apply(commit, at(1));
    const steps = configuration.undoing(changes, new Configuration());
    let yields = 0;
    while (steps.next().done !== true) yields += 1;
    expect(yields).toBeGreaterThanOrEqual(9);
    expect([configuration.size, configuration.position]).toEqual([0, origin]);
  });
});
