import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { created, kept, Served } from "../../test/dataplane/served.ts";
import { waitFor } from "../../test/support/wait-for.ts";
import { LastKnownGood } from "./last-known-good.ts";
import { StateDirectoryInUse } from "./state-directory.ts";

let directory: string;
const opened: LastKnownGood[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "switchyard-cache-"));
});

afterEach(async () => {
  for (const cache of opened.splice(0)) await cache.close();
  rmSync(directory, { recursive: true });
});

function open(): LastKnownGood {
  const cache = LastKnownGood.open(directory);
  opened.push(cache);
  return cache;
}

/** A directory with a snapshot at revision 3 and two commits behind it. */
async function filled(): Promise<Served> {
  const served = new Served();
  for (const id of ["a", "b", "c"]) served.commit(created(id));
  const cache = open();
  cache.replaced(served.configuration);
  await kept(cache, served.configuration);
  await served.goOn(cache, 2);
  await cache.close();
  opened.length = 0;
  return served;
}

function tail(): string {
  return join(directory, readdirSync(directory).find((name) => name.startsWith("commits-")) as string);
}

function flipBit(file: string, at: number): void {
  const bytes = readFileSync(file);
  bytes[at < 0 ? bytes.length + at : at]! ^= 4;
  writeFileSync(file, bytes);
}

describe("what a node served", () => {
  it("is there after a restart: the snapshot, and the commits since", async () => {
    const served = await filled();
    const cache = open();
    expect(cache.problems).toEqual([]);
    expect(cache.loaded?.position).toEqual(served.configuration.position);
    expect(cache.loaded?.digest).toEqual(served.configuration.digest);
    expect([...(cache.loaded?.resources() ?? [])].map(({ name }) => name).sort()).toEqual(
      [...served.configuration.resources()].map(({ name }) => name).sort(),
    );
    expect([cache.kept.position, cache.fault]).toEqual([served.configuration.position, undefined]);
  });

  it("goes on from what was loaded, again and again", async () => {
    const served = await filled();
    for (let life = 0; life < 3; life += 1) {
      const cache = open();
      await served.goOn(cache, 2, `life${life}x`);
      await cache.close();
      opened.length = 0;
    }
    const cache = open();
    expect([cache.loaded?.position, cache.problems]).toEqual([served.configuration.position, []]);
    expect(cache.loaded?.digest).toEqual(served.configuration.digest);
  });

  it("is a new snapshot after a thousand commits, and the files before it are dropped", async () => {
    const served = await filled();
    const cache = open();
    await served.goOn(cache, 1500);
    const before = new Set(["commits-3", "commits-5"]);
    await waitFor("the new snapshot", () => !readdirSync(directory).some((name) => before.has(name)));
    await cache.idle();
    await cache.close();
    opened.length = 0;
    const again = open();
    expect([again.loaded?.position, again.problems]).toEqual([served.configuration.position, []]);
    expect(again.loaded?.digest).toEqual(served.configuration.digest);
    expect(readdirSync(directory).filter((name) => name.startsWith("commits-")).length).toBeLessThanOrEqual(1);
  });

  it("is what replaced it, even at a smaller revision", async () => {
    await filled();
    const cache = open();
    const other = new Served("two");
    other.commit(created("x"));
    cache.changing();
    cache.replaced(other.configuration);
    await other.goOn(cache, 1);
    await cache.close();
    opened.length = 0;
    const again = open();
    expect([again.loaded?.position, again.problems]).toEqual([other.configuration.position, []]);
  });

  it("is not told as kept before it is on disk", async () => {
    const served = await filled();
    const cache = open();
    cache.changing();
    const sealed = served.commit(created("late"));
    cache.committed([sealed], served.configuration);
    expect(cache.kept.position.revision).toBe(5);
    await kept(cache, served.configuration);
  });
});

describe("a state directory", () => {
  it("has one owner at a time", async () => {
    const first = open();
    expect(() => LastKnownGood.open(directory)).toThrow(StateDirectoryInUse);
    await first.close();
    opened.length = 0;
    expect(open().fault).toBeUndefined();
  });

  it.each<[string, () => void, number, RegExp]>([
    ["a commit's body with a flipped bit", () => flipBit(tail(), -1), 4, /not sound behind revision 4/],
    ["a commit's hash with a flipped bit", () => flipBit(tail(), 10), 3, /not sound behind revision 3/],
    ["a length with a flipped bit", () => flipBit(tail(), 3), 3, /cut off behind revision 3/],
    [
      "half of its last commit",
      () => truncateSync(tail(), readFileSync(tail()).length - 5),
      4,
      /cut off behind revision 4/,
    ],
    ["a tail that begins later", () => swapTail("commits-9"), 3, /does not continue revision 3/],
    ["a snapshot with a flipped bit", () => flipBit(join(directory, "snapshot"), 5), 0, /SHA-256/],
    [
      "a snapshot without its end",
      () => truncateSync(join(directory, "snapshot"), 20),
      0,
      /no snapshot, or was cut off/,
    ],
    ["an empty snapshot", () => truncateSync(join(directory, "snapshot"), 0), 0, /no snapshot, or was cut off/],
    ["a snapshot of a newer format", () => flipBit(join(directory, "snapshot"), -12), 0, /this software reads 1/],
    ["another file in its place", () => writeFileSync(join(directory, "snapshot"), "x".repeat(99)), 0, /no snapshot/],
    [
      "no snapshot, only what followed it",
      () => rmSync(join(directory, "snapshot")),
      0,
      /does not continue revision 0/,
    ],
  ])(
    "with %s gives what is sound, says so, and is whole after the next snapshot",
    async (_what, damage, revision, problem) => {
      await filled();
      damage();
      const cache = open();
      expect(cache.loaded?.position.revision ?? 0).toBe(revision);
      expect(cache.problems.join()).toMatch(problem);
      const served = new Served();
      for (const id of ["a", "b", "c", "d", "e", "f"]) served.commit(created(id));
      cache.changing();
      cache.replaced(served.configuration);
      await kept(cache, served.configuration);
      await cache.close();
      opened.length = 0;
      const again = open();
      expect([again.loaded?.position, again.problems]).toEqual([served.configuration.position, []]);
    },
  );

  it("whose process ended between a snapshot and the removal of what is in it is whole", async () => {
    const served = await filled();
    const old = readFileSync(tail());
    const cache = open();
    cache.changing();
    cache.replaced(served.configuration);
    await cache.idle();
    await cache.close();
    opened.length = 0;
    writeFileSync(join(directory, "commits-3"), old);
    const again = open();
    expect([again.loaded?.position, again.problems]).toEqual([served.configuration.position, []]);
  });

  it("that is empty is no cache, and no problem", () => {
    const cache = open();
    expect([cache.loaded, cache.problems, cache.kept.position.revision]).toEqual([undefined, [], 0]);
  });

  it.each(["commits-5", "snapshot.new"])(
    "on a full disk is a fault by its name, and is whole once there is room: %s",
    async (file) => {
      const served = await filled();
      const cache = open();
      // Whatever is written there is refused by the kernel with ENOSPC.
      symlinkSync("/dev/full", join(directory, file));
      cache.changing();
      if (file === "snapshot.new") cache.replaced(served.configuration);
      else cache.committed([served.commit(created("x"))], served.configuration);
      expect((await waitFor("the fault", () => cache.fault)).reason).toBe("no_space");
      expect(cache.kept.position.revision).toBe(5);
      cache.changing();
      cache.committed([served.commit(created("y"))], served.configuration);
      unlinkSync(join(directory, file));
      await waitFor("the next try", () => cache.fault === undefined, 20_000);
      await kept(cache, served.configuration);
      await cache.close();
      opened.length = 0;
      expect(open().loaded?.digest).toEqual(served.configuration.digest);
    },
  );

  it("whose disk fails is a fault, then is tried again until it is whole", async () => {
    const served = await filled();
    const cache = open();
    let changes = 0;
    cache.watch(() => {
      changes += 1;
    });
    rmSync(directory, { recursive: true });
    cache.changing();
    cache.committed([served.commit(created("x"))], served.configuration);
    const fault = await waitFor("the fault", () => cache.fault);
    expect(fault.reason).toBe("other");
    expect(changes).toBeGreaterThan(0);
    cache.changing();
    cache.committed([served.commit(created("y"))], served.configuration);
    mkdirSync(directory);
    await waitFor("the next try", () => cache.fault === undefined, 20_000);
    expect(cache.kept.position).toEqual(served.configuration.position);
    await cache.close();
    opened.length = 0;
    const again = open();
    expect([again.loaded?.position, again.problems]).toEqual([served.configuration.position, []]);
  });
});

function swapTail(name: string): void {
  const bytes = readFileSync(tail());
  rmSync(tail());
  writeFileSync(join(directory, name), bytes);
}
