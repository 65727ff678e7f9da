import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { kept } from "../../test/dataplane/served.ts";
import { created, someNode } from "../../test/dataplane/followed.ts";
import { ReleaseLog } from "../../test/dataplane/release-log.ts";
import { Follower } from "../feed/follower.ts";
import { LastKnownGood } from "./last-known-good.ts";

let directory: string;
/** The one that has the directory now. */
let opened: LastKnownGood | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "switchyard-kept-releases-"));
  opened = undefined;
});

afterEach(async () => {
  await opened?.close();
  rmSync(directory, { recursive: true });
});

function open(): LastKnownGood {
  const cache = LastKnownGood.open(directory);
  opened = cache;
  cache.watch(() => undefined);
  return cache;
}

async function started(): Promise<{ cache: LastKnownGood; node: Follower }> {
  const cache = open();
  const node = new Follower(
    someNode,
    () => Promise.resolve(),
    () => undefined,
    cache,
  );
  if (cache.loaded !== undefined) await node.resume(cache.loaded);
  return { cache, node };
}

/** As a feed does after being away: what is missing, and then the end; again where it is rejected. */
async function caughtUp(node: Follower, log: ReleaseLog): Promise<void> {
  for (let attempt = 0; attempt < 2; attempt += 1) {
    try {
      for (const sealed of log.commits.slice(node.position().revision)) await node.commit(sealed, true);
      return await node.beacon(log.head);
    } catch (error) {
      expect(String(error)).toContain("out of reach");
    }
  }
}

it("a node starts with what it served, wherever the log was by then, and goes where it belongs once it hears its end", async () => {
  const log = new ReleaseLog();
  log.append(created("a"));
  log.stage();
  const doings: readonly (() => unknown)[] = [
    () => log.append(created("b")),
    () => log.release(3),
    () => log.rollBack(),
    () => log.append(created("c")),
    () => log.release(6),
    () => log.append(created("d")),
    () => [log.rollBack(), log.release(8)],
  ];
  let before = await started();
  await caughtUp(before.node, log);
  for (const doing of doings) {
    // What is kept is what is served, never what only waits.
    const { position, digest } = before.node.status;
    await kept(before.cache, before.node.serving);
    await before.cache.close();
    opened = undefined;
    doing();
    const after = await started();
    expect(after.cache.problems).toEqual([]);
    expect(after.node.status).toMatchObject({ position, digest, loaded: true });
    await caughtUp(after.node, log);
    const released = log.at(log.effective(someNode));
    expect(after.node.status).toMatchObject({ position: released.position, digest: released.digest });
    // And while it lives: a step by a commit that follows release commits, which are kept with it.
    await after.node.commit(log.append(created(`e${log.head.revision}`)));
    await after.node.commit(log.release(log.head.revision));
    expect(after.node.status.digest).toEqual(log.configuration.digest);
    await kept(after.cache, after.node.serving);
    before = after;
  }
});
