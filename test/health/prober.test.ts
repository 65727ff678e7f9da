import { describe, expect, it } from "vitest";
import { LocalProber } from "../../dataplane/health/probes/local-prober.ts";
import type { Prober } from "../../dataplane/health/probes/prober.ts";
import { openResources } from "../support/open-resources.ts";
import { CountingTls } from "./counting-tls.ts";
import { tls } from "./run-probe.ts";
import { threadProber } from "./thread-probers.ts";
import { begin, closing, ended, muteServer } from "./told-check.ts";

const kept = closing();

const ways: readonly (readonly [string, () => Prober])[] = [
  ["in the thread that asks", () => new LocalProber()],
  ["in a thread of their own", () => threadProber()],
];

describe.each(ways)("checks %s", (_, make) => {
  it("that are cut off tell of nothing but their end, waiting or running", async () => {
    const server = kept(await muteServer());
    const probe = kept(make()).prepare(tls());
    const running = begin(probe, server.address);
    await server.nextPeer();
    const many = Array.from({ length: 20 }, () => begin(probe, server.address));
    for (const { running: each } of [running, ...many]) {
      each.abort();
      each.abort();
    }
    expect(running.events).toEqual([]);
    await ended(running, ...many);
    expect(new Set([running, ...many].map(({ events }) => events.join(" ")))).toEqual(new Set(["ended"]));
  });

  it("end with the prober, and none is begun after", async () => {
    const server = kept(await muteServer());
    const prober = make();
    const probe = prober.prepare(tls());
    const one = begin(probe, server.address);
    await server.nextPeer();
    const queued = begin(probe, server.address);
    await prober.close();
    expect([one.events, queued.events]).toEqual([["ended"], ["ended"]]);
    expect(openResources().active["TCPConnectWrap"] ?? 0).toBe(0);
  });

  it("by a probe that was forgotten meanwhile go on", async () => {
    const { address } = kept(await CountingTls.listen());
    const probe = kept(make()).prepare(tls());
    const check = begin(probe, address);
    probe.forget();
    await ended(check);
    expect(check.result?.passed).toBe(true);
  });
});
