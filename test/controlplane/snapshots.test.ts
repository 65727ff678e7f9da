import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { EventLog } from "../../controlplane/log/event-log.ts";
import { LogCorrupt } from "../../controlplane/log/event-log.ts";
import { LiveConfiguration } from "../../controlplane/state/live-configuration.ts";
import { configurationAt } from "../../controlplane/state/log-follower.ts";
import { Configuration } from "../../model/configuration.ts";
import { encodeSnapshotParts } from "../../model/wire/snapshot.ts";
import { written } from "../support/arbitrary-resource.ts";
import { waitFor } from "../support/wait-for.ts";
import { fillLog } from "./fill-log.ts";
import { RunningControlPlane } from "./running-control-plane.ts";

const farms = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => written({ farm: { name: `farms/f${from + index}` } }));

let running: RunningControlPlane;
beforeEach(async () => {
  running = await RunningControlPlane.start();
});
afterEach(() => running.close());

/** A commit through the API, after which the control plane considers a snapshot. */
const commit = (id: string) => running.config.createFarm({ farm: { name: `farms/${id}` } });
const snapshotAt = async (revision: number) => (await running.log.snapshotAtOrBefore(revision))?.position.revision;

/** Opens the log as a starting control plane does, and tells from where on it had to read. */
async function opened(log: EventLog): Promise<{ readonly live: LiveConfiguration; readonly firstRead: number }> {
  let firstRead = Number.POSITIVE_INFINITY;
  const watched = new Proxy(log, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== "function") return member;
      return (...args: unknown[]): unknown => {
        if (name === "read") firstRead = Math.min(firstRead, Number(args[0]));
        return Reflect.apply(member, target, args);
      };
    },
  });
  const live = await LiveConfiguration.open(watched, (error) => {
    throw error;
  });
  return { live, firstRead };
}

test("a snapshot is written every 1000 commits, and not before", async () => {
  await fillLog(running.log, farms(0, 998));
  await commit("a");
  expect(running.plane.position.revision).toBe(999);
  await running.restart();
  expect(await snapshotAt(999)).toBeUndefined();
  await commit("b");
  await running.restart();
  expect(await snapshotAt(1000)).toBe(1000);
  // From there it counts anew, across restarts.
  await fillLog(running.log, farms(1000, 998));
  await commit("c");
  await running.restart();
  expect(await snapshotAt(1999)).toBe(1000);
  await commit("d");
  await running.restart();
  expect(await snapshotAt(2000)).toBe(2000);
});

test("a snapshot holds one revision, whatever is committed while it is written", async () => {
  await fillLog(running.log, farms(0, 9000));
  await commit("a");
  await Promise.all(Array.from({ length: 30 }, (_, index) => commit(`b${index}`)));
  await running.restart();
  const stored = await running.log.snapshotAtOrBefore(10_000);
  expect(stored?.position.revision).toBeGreaterThanOrEqual(9000);
  const at = stored?.position.revision ?? 0;
  const { live, firstRead } = await opened(running.log);
  expect(firstRead).toBe(at);
  expect(live.configuration.farms.size).toBe(9031);
});

describe("a control plane that starts", () => {
  beforeEach(async () => {
    await fillLog(running.log, farms(0, 999));
    await commit("last");
    await running.restart();
    await fillLog(running.log, farms(1000, 5));
  });

  test("takes the newest snapshot, and reads only the commits after it", async () => {
    const { live, firstRead } = await opened(running.log);
    expect(firstRead).toBe(1000);
    expect(live.position).toEqual(await running.log.head());
    expect(live.configuration.farms.size).toBe(1005);
  });

  test("comes to the same configuration as by all the commits", async () => {
    const { live } = await opened(running.log);
    const folded = await configurationAt(withoutSnapshots(running.log), 1005);
    expect(live.configuration.digest).toEqual(folded.digest);
  });

  const position = async (revision: number) => (await configurationAt(running.log, revision)).position;
  const encoded = (configuration: Configuration): Buffer => Buffer.concat([...encodeSnapshotParts(configuration, 100)]);
  const damages: Readonly<Record<string, () => Promise<Uint8Array>>> = {
    "that is garbage": async () => Buffer.from("no snapshot at all"),
    "that is empty": async () => new Uint8Array(0),
    "that is cut short": async () => encoded(await configurationAt(running.log, 1005)).subarray(0, 5000),
    "of another revision": async () => encoded(await configurationAt(running.log, 1003)),
    "that lacks a resource": async () => {
      const whole = await configurationAt(running.log, 1005);
      const { digest } = whole;
      const parts = Configuration.restore(whole.position, [...whole.resources()].slice(1));
      Object.defineProperty(parts, "digest", { value: digest });
      return encoded(parts);
    },
  };
  test.each(Object.keys(damages))("passes over a snapshot %s, and takes the one before", async (what) => {
    const expected = (await opened(running.log)).live.configuration.digest;
    const body = await (damages[what] as () => Promise<Uint8Array>)();
    await running.log.saveSnapshot({ position: await position(1005), body });
    const { live, firstRead } = await opened(running.log);
    expect(firstRead).toBe(1000);
    expect(live.configuration.digest).toEqual(expected);
    await running.restart();
    expect((await running.config.listFarms({ pageSize: 1 })).revision).toBe(1005n);
  });

  test("with no sound snapshot reads the log from its start", async () => {
    await running.log.saveSnapshot({ position: await position(1000), body: Buffer.from("rot") });
    const { live, firstRead } = await opened(running.log);
    expect(firstRead).toBe(0);
    expect(live.configuration.farms.size).toBe(1005);
  });
});

test("a snapshot that can't be written is a fault, and the commits go on", async () => {
  running.log.saveSnapshot = async () => {
    throw new RangeError("no room");
  };
  await fillLog(running.log, farms(0, 1000));
  await commit("a");
  await waitFor("the fault", () => running.takeFaults().some((fault) => String(fault) === "RangeError: no room"));
  await commit("b");
  expect(running.plane.position.revision).toBe(1002);
});

test("a log whose chain does not hold is corrupt, by name and revision", async () => {
  const made = await fillLog(running.log, farms(0, 3));
  const swapped = new Proxy(running.log, {
    get: (log, name) =>
      name === "read" ? async () => [made[0], made[2]] : (Reflect.get(log, name, log) as () => unknown).bind(log),
  });
  await expect(configurationAt(swapped, 3)).rejects.toThrow(LogCorrupt);
  await expect(configurationAt(swapped, 3)).rejects.toThrow("after revision 1: broken_chain");
});

function withoutSnapshots(log: EventLog): EventLog {
  return new Proxy(log, {
    get: (target, name) =>
      name === "snapshotAtOrBefore"
        ? async () => undefined
        : (Reflect.get(target, name, target) as () => unknown).bind(target),
  });
}
