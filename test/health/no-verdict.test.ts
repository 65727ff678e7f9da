import { describe, expect, it } from "vitest";
import { HealthChecker } from "../../dataplane/health/health-checker.ts";
import { LocalProber } from "../../dataplane/health/probes/local-prober.ts";
import { stalledDetail } from "../../dataplane/health/probes/probe-connection.ts";
import type { Prober } from "../../dataplane/health/probes/prober.ts";
import type { StartProbeThread } from "../../dataplane/health/thread/probe-thread.ts";
import { workerProbeThread } from "../../dataplane/health/thread/worker-probe-thread.ts";
import { ServerHealthBoard } from "../../dataplane/health/server-health.ts";
import { SilentListener } from "../support/silent-listener.ts";
import { waitFor } from "../support/wait-for.ts";
import { FixedAddresses } from "./fixed-addresses.ts";
import { created, testCheck, testFarm, testServer } from "./health-resources.ts";
import { tcp } from "./run-probe.ts";
import { builtEntry, programThread, threadProber } from "./thread-probers.ts";
import { begin, closing, ended, muteServer } from "./told-check.ts";

const kept = closing();

/** Longer than a whole check may take, again and again. */
const stallMs = 60;
const limitMs = 40;

/** Has this thread stand still in every turn of its loop, before the timers are looked at and then the sockets. */
function stalling(): { close(): Promise<void> } {
  let immediate = setImmediate(standStill);
  function standStill(): void {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, stallMs);
    immediate = setImmediate(standStill);
  }
  return { close: async () => clearImmediate(immediate) };
}

/** The thread, which does the same. */
const stallingThread = programThread(`
  import ${JSON.stringify(builtEntry.href)};
  (function standStill() {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ${stallMs});
    setImmediate(standStill).unref();
  })();
`);

/** Checks one server, whose kernel accepts whatever the machine does, and gives what became of its health. */
async function checkOften(prober: Prober): Promise<{ readonly passed: () => number; readonly transitions: string[] }> {
  const server = kept(await muteServer());
  const board = new ServerHealthBoard();
  const addresses = new FixedAddresses();
  let passes = 0;
  addresses.succeeded = () => void (passes += 1);
  const transitions: string[] = [];
  board.onTransition(({ from, to, reason }) => transitions.push(`${from}>${to} ${reason ?? "-"}`));
  const now = (): number => performance.now();
  const parts = { board, addresses, onTickets: () => undefined, now, random: Math.random, prober };
  const checker = kept(new HealthChecker(parts));
  const often = { intervalMs: 100, fastIntervalMs: 100, timeoutMs: limitMs, rise: 1, fall: 1 };
  const changes = created(testFarm({ healthCheck: testCheck(often) }), testServer("farms/f/servers/a", server.address));
  board.apply(changes, now());
  checker.apply(changes);
  return { passed: () => passes, transitions };
}

describe("a server that is well is never marked down", () => {
  it.each<[string, () => Prober]>([
    [
      "this thread",
      () => {
        kept(stalling());
        return new LocalProber();
      },
    ],
    ["the thread of checks", () => threadProber({ startThread: stallingThread })],
  ])("for %s standing still longer than a check may take", async (_, make) => {
    const { passed, transitions } = await checkOften(make());
    await waitFor("checks that pass", () => passed() >= 5);
    expect(transitions).toEqual([]);
  });

  it("for the thread of checks dying, and is checked again when it is back", async () => {
    const dying = programThread("setImmediate(() => { throw new Error('a fault'); })");
    const deaths: string[] = [];
    const starts: StartProbeThread[] = [dying, dying, dying];
    const prober = threadProber({
      startThread: (events) => (starts.shift() ?? workerProbeThread({ entry: builtEntry }))(events),
      onDeath: (why) => deaths.push(why),
    });
    const { passed, transitions } = await checkOften(prober);
    await waitFor("a check that passed", () => passed() > 0);
    expect(deaths).toEqual(["a fault", "a fault", "a fault"]);
    expect(transitions).toEqual([]);
  });
});

it("A check whose time went by while its thread stood still says nothing of the server.", async () => {
  const silent = kept(await SilentListener.listen());
  const prober = kept(new LocalProber());
  kept(stalling());
  const check = begin(prober.prepare(tcp), silent.address, limitMs);
  await ended(check);
  expect(check.result).toMatchObject({ passed: false, reason: "local_limit", detail: stalledDetail });
});
