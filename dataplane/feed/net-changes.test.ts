import { describe, expect, it } from "vitest";
import type { Change } from "../../model/configuration.ts";
import { atOnce } from "../../model/steps.ts";
import { written } from "../../test/support/arbitrary-resource.ts";
import { netChanges } from "./net-changes.ts";

const [a1, a2, a3] = [1, 2, 3].map((port) =>
  written({ server: { name: "farms/f/servers/a", address: `127.0.0.1:${port}` } }),
);
const farm = written({ farm: { name: "farms/f" } });
if (a1 === undefined || a2 === undefined || a3 === undefined) throw new Error("three servers");

const cases: readonly (readonly [law: string, changes: readonly Change[], net: readonly Change[]])[] = [
  ["nothing comes to nothing", [], []],
  [
    "changes of different resources stay as they are",
    [
      { before: null, after: farm },
      { before: a1, after: a2 },
    ],
    [
      { before: null, after: farm },
      { before: a1, after: a2 },
    ],
  ],
  [
    "deleted and created anew is changed",
    [
      { before: a1, after: null },
      { before: null, after: a2 },
    ],
    [{ before: a1, after: a2 }],
  ],
  [
    "created and deleted is nothing",
    [
      { before: null, after: a1 },
      { before: a1, after: null },
    ],
    [],
  ],
  [
    "changed twice is changed once",
    [
      { before: a1, after: a2 },
      { before: null, after: farm },
      { before: a2, after: a3 },
    ],
    [
      { before: a1, after: a3 },
      { before: null, after: farm },
    ],
  ],
  [
    "changed and deleted is deleted",
    [
      { before: a1, after: a2 },
      { before: a2, after: null },
    ],
    [{ before: a1, after: null }],
  ],
];

describe("what a commit comes to", () => {
  it.each(cases)("%s", (_law, changes, net) => {
    expect(atOnce(netChanges(changes))).toEqual(net);
  });
});
