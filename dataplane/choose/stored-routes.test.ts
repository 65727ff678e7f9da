import { expect, test } from "vitest";
import { arbitraryResource, written } from "../../test/support/arbitrary-resource.ts";
import { Configuration } from "../../model/configuration.ts";
import { difference } from "../../model/difference.ts";
import type { Route } from "../../model/resource.ts";
import { encodeSnapshotParts } from "../../model/wire/snapshot.ts";
import { openStoredSnapshot } from "../../model/wire/stored-snapshot.ts";
import fc from "fast-check";
import { Routing } from "./routing.ts";

const position = { epoch: 1, revision: 7, hash: new Uint8Array(32) };
const listener = written({ listener: { name: "listeners/edge", addresses: ["127.0.0.1:443"] } });
const noNarrowing = { alpnIndex: () => -1, source: null };
const announced = ["a.test", "b.test", "x.c.test", "d_1.test", "n7.test", "n599.test", "none.test"];

function chosen(routing: Routing): readonly (string | undefined)[] {
  return announced.map((name) => {
    const nameBytes = new TextEncoder().encode(name);
    return routing.choose("listeners/edge", { nameBytes, nameLength: nameBytes.length }, noNarrowing)?.route?.name;
  });
}

test("routes that are still in a snapshot's bytes are routed by as those that were read, and can be changed", () => {
  const several = fc.array(
    arbitraryResource.filter(({ kind }) => kind === "route"),
    { maxLength: 8 },
  );
  const plain = Array.from({ length: 600 }, (_, index) =>
    written({
      route: {
        name: `listeners/edge/routes/r${index}`,
        match: { serverNames: [`n${index}.test`] },
        action: { farm: "farms/web" },
      },
    }),
  );
  fc.assert(
    fc.property(several, fc.boolean(), (others, large) => {
      const more = others.map(
        (each, index): Route => ({ ...(each as Route), name: `listeners/edge/routes/o${index}` }),
      );
      const eager = Configuration.restore(position, [listener, ...(large ? plain : plain.slice(0, 9)), ...more]);
      const stored = openStoredSnapshot(Buffer.concat([...encodeSnapshotParts(eager, 100)]));
      const [expected, routing] = [new Routing(1), new Routing(1)];
      expected.apply(difference(new Configuration(), eager));
      routing.apply(difference(new Configuration(), stored));
      expect(chosen(routing)).toEqual(chosen(expected));
      expect(routing.size().names).toBe(expected.size().names);
      routing.apply([...stored.resources()].map((before) => ({ before, after: null })));
      expect(routing.size()).toEqual({ names: 0, bytes: 0 });
    }),
    { numRuns: 20 },
  );
});
