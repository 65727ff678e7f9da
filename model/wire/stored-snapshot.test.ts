import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { arbitraryResource, written } from "../../test/support/arbitrary-resource.ts";
import type { Commit } from "../commit.ts";
import { Configuration } from "../configuration.ts";
import { difference } from "../difference.ts";
import { canonicalText } from "../resource-fields.ts";
import type { Resource } from "../resource.ts";
import { atOnce } from "../steps.ts";
import { StoredRoute } from "../stored-route.ts";
import { encodeSnapshotParts, SnapshotInvalid } from "./snapshot.ts";
import { openStoredSnapshot } from "./stored-snapshot.ts";

const position = { epoch: 1, revision: 7, hash: new Uint8Array(32).fill(7) };
const route = (id: string, match: object): Resource =>
  written({ route: { name: `listeners/edge/routes/${id}`, match, action: { farm: "farms/web" } } });
const stored = (resources: readonly Resource[]): Buffer =>
  Buffer.concat([...encodeSnapshotParts(Configuration.restore(position, resources), 3)]);
const distinct = fc.uniqueArray(arbitraryResource, { selector: ({ name }) => name, maxLength: 12 });
const commitOf = (events: Commit["events"]): Commit => {
  const none = new Uint8Array(0);
  const by = { requestId: "r", requestDigest: none, author: "a", reason: "", timeMs: 0 };
  return { epoch: 1, revision: 8, parentHash: position.hash, ...by, events };
};

describe("a stored snapshot", () => {
  test("is the configuration that was stored, whatever is asked first", () => {
    fc.assert(
      fc.property(distinct, fc.nat(3), (resources, asked) => {
        const [eager, opened] = [Configuration.restore(position, resources), openStoredSnapshot(stored(resources))];
        if (asked === 1) expect(atOnce(opened.proving())).toBe(true);
        if (asked === 2) for (const { name } of resources) expect(opened.resource(name)?.name).toBe(name);
        expect(opened.size).toBe(eager.size);
        expect(opened.digest).toEqual(eager.digest);
        expect(opened.position).toEqual(position);
        expect([...opened.resources()].map(canonicalText)).toEqual([...eager.resources()].map(canonicalText));
        expect(opened.routes.size).toBe(eager.routes.size);
        expect(difference(eager, opened)).toEqual([]);
        expect(atOnce(opened.proving())).toBe(true);
      }),
    );
  });

  test("is followed by commits before, amid and after its proof, with the digest of everyone else", () => {
    fc.assert(
      fc.property(distinct, distinct, fc.nat(2), (resources, others, steps) => {
        const many = Array.from({ length: 120 }, (_, index) => route(`r${index}`, { serverNames: [`n${index}.test`] }));
        const all = [...new Map([...many, ...resources].map((each) => [each.name, each])).values()];
        const commit = commitOf([
          ...others.map((resource) => ({ type: "updated" as const, resource })),
          ...many.slice(0, 60).map(({ name }) => ({ type: "deleted" as const, name })),
        ]);
        const [eager, opened] = [Configuration.restore(position, all), openStoredSnapshot(stored(all))];
        const proof = opened.proving();
        for (let step = 0; step < steps; step += 1) proof.next();
        const next = { ...position, revision: 8 };
        const changes = opened.apply(commit, next);
        expect(changes.length).toBe(eager.apply(commit, next).length);
        expect(opened.digest).toEqual(eager.digest);
        expect(atOnce(proof)).toBe(true);
        expect(opened.size).toBe(eager.size);
        expect(difference(eager, opened)).toEqual([]);
      }),
      { numRuns: 30 },
    );
  });

  test("whose resources are not those of its digest is found out", () => {
    const body = stored([route("a", { serverNames: ["one.test"] })]);
    body.write("two.test", body.indexOf("one.test"));
    const opened = openStoredSnapshot(body);
    expect(opened.routes.size).toBe(1);
    expect(atOnce(opened.proving())).toBe(false);
  });

  test("has a route's one exact name at hand, until the route is read", () => {
    const into = new Uint8Array(300);
    const name = (length: number): string => `${"a".repeat(60)}.${"b".repeat(60)}.${"c".repeat(length - 122)}`;
    const cases: readonly (readonly [match: object, spelled: string])[] = [
      [{ serverNames: ["shop.test"] }, "shop.test"],
      [{ serverNames: [name(127)] }, name(127)],
      [{ serverNames: [name(128)] }, ""],
      [{ serverNames: ["*.shop.test"] }, ""],
      [{ serverNames: ["*"] }, ""],
      [{ serverNames: ["a.test", "b.test"] }, ""],
      [{ serverNames: ["a.test"], alpnProtocols: ["h2"] }, ""],
      [{ serverNames: ["a.test"], sourceNetworks: ["10.0.0.0/8"] }, ""],
      [{ serverNames: ["a.test"], noServerName: true }, ""],
      [{ noServerName: true }, ""],
    ];
    for (const [match, spelled] of cases) {
      const [opened] = openStoredSnapshot(stored([route("a", match)])).resources();
      if (!(opened instanceof StoredRoute)) throw new Error("a route is not left in its bytes");
      expect(opened.listener).toBe("listeners/edge");
      expect(Buffer.from(into.subarray(0, opened.spell(into))).toString()).toBe(spelled);
      expect(opened.match.serverNames).toEqual((match as { serverNames?: string[] }).serverNames ?? []);
      expect(opened.spell(into)).toBe(0);
    }
  });

  test("of several listeners gives each route its own", () => {
    const names = ["listeners/a/routes/x", "listeners/ab/routes/x", "listeners/ab/routes/y", "listeners/a/routes/y"];
    const routes = names.map((name) =>
      written({ route: { name, match: { noServerName: true }, action: { farm: "farms/web" } } }),
    );
    const listeners = [...openStoredSnapshot(stored(routes)).resources()].map((each) => (each as StoredRoute).listener);
    expect(listeners).toEqual(["listeners/a", "listeners/ab", "listeners/ab", "listeners/a"]);
  });

  test("that is cut anywhere, or is none, is refused", () => {
    const body = stored([route("a", { serverNames: ["one.test"] }), written({ farm: { name: "farms/web" } })]);
    for (let length = 0; length < body.length; length += 1)
      expect(() => openStoredSnapshot(body.subarray(0, length))).toThrow(SnapshotInvalid);
    for (const noise of [[0xff], [0x08, 1], [0x12, 0x80], [0x0a, 1, 0xff], [0x12, 2, 0x12, 9]])
      expect(() => openStoredSnapshot(Uint8Array.from(noise))).toThrow(SnapshotInvalid);
  });

  test("with a resource that can't be read says so when that is read", () => {
    // The first route of a listener is looked at for the listener's name; the others are not.
    const body = stored(["a", "b"].map((id) => route(id, { serverNames: [`${id}.test`] })));
    body.write("no-farm-!", body.lastIndexOf("farms/web"));
    const opened = openStoredSnapshot(body);
    expect(() => atOnce(opened.proving())).toThrow(SnapshotInvalid);
  });
});
