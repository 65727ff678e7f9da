import { describe, expect, it } from "vitest";
import type { ProbeReport } from "../../dataplane/health/thread/probe-messages.ts";
import type { StartProbeThread } from "../../dataplane/health/thread/probe-thread.ts";
import { workerProbeThread } from "../../dataplane/health/thread/worker-probe-thread.ts";
import { waitFor } from "../support/wait-for.ts";
import { CountingTls } from "./counting-tls.ts";
import { JoinedThread } from "./joined-thread.ts";
import { heavyProbe, runBy, tcp, tls } from "./run-probe.ts";
import { builtEntry, programThread, threadProber } from "./thread-probers.ts";
import { begin, closing, ended, muteServer, nowhere } from "./told-check.ts";

const kept = closing();

const waitsForGood = "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);";

describe("the thread", () => {
  it("is not there before the first check, and is told of a probe once, and to forget only what it was told", async () => {
    const server = kept(await muteServer());
    const joined = new JoinedThread();
    const prober = kept(threadProber({ startThread: joined.start }));
    const [used, unused] = [prober.prepare(tcp), prober.prepare(tls())];
    expect(joined.lives).toHaveLength(0);
    await ended(begin(used, server.address), begin(used, server.address));
    used.forget();
    unused.forget();
    await waitFor("the probe to be forgotten", () => joined.life().host.size.probes === 0);
    expect(joined.lives).toHaveLength(1);
    expect(joined.life().orders.map(({ type }) => type)).toEqual(["prepare", "start", "start", "forget"]);
  });

  it("is not heard of a check that was cut off, but for its end, nor of one that never was", async () => {
    const server = kept(await muteServer());
    const joined = new JoinedThread();
    const check = begin(kept(threadProber({ startThread: joined.start })).prepare(tls()), server.address);
    await server.nextPeer();
    check.running.abort();
    const { reports } = joined.life().events;
    const result = { passed: true, certificateExpiryMs: null } as const;
    reports([1, 2].map((checkId) => ({ type: "result", checkId, result })));
    reports([{ type: "ended", checkId: 2, ticketHeads: [] }]);
    expect(check.events).toEqual([]);
    await ended(check);
    expect(check.events).toEqual(["ended"]);
  });

  it("holds the probes that farms have, and no other, through a million changes", async () => {
    const joined = new JoinedThread(false);
    const prober = kept(threadProber({ startThread: joined.start }));
    let held = prober.prepare(tcp);
    let open = 0;
    const request = {
      address: nowhere,
      timeoutMs: 1000,
      header: new Uint8Array(0),
      wantsTickets: false,
    };
    const events = { result: () => undefined, ended: () => void (open -= 1) };
    for (let change = 1; change <= 1_000_000; change += 1) {
      held.forget();
      held = prober.prepare(tcp);
      if (change % 20 !== 0) continue;
      open += 1;
      held.start(request, events).abort();
      // The loop comes round, as it does between commits.
      if (change % 1000 === 0) await waitFor("checks to end", () => open === 0);
    }
    expect(joined.life().host.size).toEqual({ probes: 1, checks: 0 });
    held.forget();
    await waitFor("the last probe to be forgotten", () => joined.life().host.size.probes === 0);
  });

  it("has room for the probes that are held, however many there were before them", async () => {
    const resourceLimits = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 };
    const prober = kept(threadProber({ startThread: workerProbeThread({ entry: builtEntry, resourceLimits }) }));
    for (let change = 0; change < 100; change += 1) {
      const probe = prober.prepare(heavyProbe(change, 1_000_000));
      const check = begin(probe, nowhere);
      await ended(check);
      expect(check.result).toMatchObject({ passed: false, reason: "connect_refused" });
      probe.forget();
    }
  });

  it("tells no more of a TLS session than the heads of its tickets, in memory that holds nothing else", async () => {
    const { address } = kept(await CountingTls.listen());
    const reports: ProbeReport[] = [];
    const start = workerProbeThread({ entry: builtEntry });
    const listening: StartProbeThread = (events) =>
      start({
        ...events,
        reports: (some) => {
          reports.push(...some);
          events.reports(some);
        },
      });
    const prober = kept(threadProber({ startThread: listening }));
    const { ticketHeads } = await runBy(prober, address, tls(), { wantsTickets: true });
    expect(ticketHeads.length).toBeGreaterThan(0);
    expect(reports.map((report) => Object.keys(report))).toEqual([
      ["type", "checkId", "result"],
      ["type", "checkId", "ticketHeads"],
    ]);
    for (const head of ticketHeads) expect([head.length, head.buffer.byteLength]).toEqual([32, 32]);
  });

  it("is ended where it does not end by itself", async () => {
    const prober = threadProber({ startThread: programThread(waitsForGood) });
    const check = begin(prober.prepare(tcp), nowhere);
    await prober.close();
    expect(check.events).toEqual(["ended"]);
  });
});
