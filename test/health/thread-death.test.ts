import { describe, expect, it } from "vitest";
import { Backoff } from "../../dataplane/feed/backoff.ts";
import type { StartProbeThread } from "../../dataplane/health/thread/probe-thread.ts";
import { workerProbeThread } from "../../dataplane/health/thread/worker-probe-thread.ts";
import { waitFor } from "../support/wait-for.ts";
import { CountingTls } from "./counting-tls.ts";
import { JoinedThread } from "./joined-thread.ts";
import { heavyProbe, tcp, tls } from "./run-probe.ts";
import { builtEntry, programThread, threadProber } from "./thread-probers.ts";
import { begin, closing, ended, muteServer } from "./told-check.ts";

const kept = closing();

describe("a thread that dies", () => {
  it.each<[string, RegExp, StartProbeThread]>([
    ["of an error", /^a fault$/, programThread("setImmediate(() => { throw new Error('a fault'); })")],
    ["of a promise", /^a fault$/, programThread("Promise.reject(new Error('a fault'))")],
    ["by itself", /^it ended with code 0$/, programThread("0")],
    [
      "of a file that is missing",
      /^(ERR_)?MODULE_NOT_FOUND: /,
      workerProbeThread({ entry: new URL("no.js", builtEntry) }),
    ],
    [
      "for want of memory",
      /^ERR_WORKER_OUT_OF_MEMORY: /,
      workerProbeThread({
        entry: builtEntry,
        resourceLimits: { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 2 },
      }),
    ],
    [
      "before it is there",
      /^no thread can be made$/,
      () => {
        throw new Error("no thread can be made");
      },
    ],
  ])("%s is told of, its checks say nothing of servers, and the next one makes them", async (_, why, failing) => {
    const server = kept(await muteServer());
    const said: string[] = [];
    let nowMs = 0;
    const starts = [failing, workerProbeThread({ entry: builtEntry })];
    const prober = kept(
      threadProber({
        startThread: (events) => (starts.shift() as StartProbeThread)(events),
        backoff: new Backoff(100, 100, () => 1),
        nowMs: () => nowMs,
        onDeath: (it) => said.push(it),
      }),
    );
    const probes = Array.from({ length: 40 }, (_each, index) => prober.prepare(heavyProbe(index, 1_000_000)));
    const checks = probes.map((probe) => begin(probe, server.address));
    await ended(...checks);
    const probe = prober.prepare(tcp);
    const inThePause = begin(probe, server.address);
    await ended(inThePause);
    for (const { events, result } of [...checks, inThePause]) {
      expect(events).toEqual(["result", "ended"]);
      expect(result).toMatchObject({ passed: false, reason: "local_limit" });
    }
    nowMs += 100;
    const next = begin(probe, server.address);
    await ended(next);
    expect(next.result?.passed).toBe(true);
    expect(said).toEqual([expect.stringMatching(why)]);
  });

  it("is started again by the first check after a pause, which grows up to a bound and begins anew with a long life", async () => {
    const server = kept(await muteServer());
    const joined = new JoinedThread();
    let nowMs = 0;
    const pauses: number[] = [];
    const backoff = new Backoff(100, 400, () => 1);
    const prober = kept(
      threadProber({ startThread: joined.start, backoff, nowMs: () => nowMs, onDeath: () => undefined }),
    );
    const probe = prober.prepare(tcp);
    const livesMs = [0, 10, 10, 10, 10, 3_600_000, 10];
    for (const [life, lifeMs] of livesMs.entries()) {
      const diedMs = nowMs;
      while (joined.lives.length === life) {
        nowMs += 50;
        await ended(begin(probe, server.address));
      }
      pauses.push(nowMs - diedMs);
      nowMs += lifeMs;
      joined.life().events.died("a fault");
    }
    expect(pauses).toEqual([50, 100, 200, 400, 400, 400, 100]);
  });

  it("and speaks of checks that ended with it, is not heard", async () => {
    const { address } = kept(await CountingTls.listen());
    const joined = new JoinedThread();
    const prober = kept(threadProber({ startThread: joined.start, onDeath: () => undefined }));
    const probe = prober.prepare(tls());
    const check = begin(probe, address);
    await waitFor("the check to be there", () => joined.life().host.size.checks === 1);
    const first = joined.life();
    first.events.died("a fault");
    expect(check.events).toEqual(["result", "ended"]);
    await waitFor("the end of what it did", () => first.host.size.checks === 0);
    let second = begin(probe, address);
    await waitFor("the second life", () => {
      if (joined.lives.length < 2 && second.events.includes("ended")) second = begin(probe, address);
      return joined.lives.length === 2;
    });
    await ended(second);
    expect(check.events).toEqual(["result", "ended"]);
    expect(second.result?.passed).toBe(true);
    expect(
      joined
        .life()
        .orders.map(({ type }) => type)
        .slice(0, 2),
    ).toEqual(["prepare", "start"]);
  });
});
