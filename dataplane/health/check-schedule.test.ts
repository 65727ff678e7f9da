import { describe, expect, it } from "vitest";
import type { ServerResourceName } from "../../model/resource-name.ts";
import { deviation } from "../../test/support/chi-squared.ts";
import { runSeed, seededRandom } from "../../test/support/seeded-random.ts";
import { CheckSchedule, type CheckTiming } from "./check-schedule.ts";

const steady: CheckTiming = { intervalMs: 2000, fastIntervalMs: 500, jitterPercent: 0 };

function scheduleOf(count: number, timing = steady, inFlightMax = 256, random = seededRandom(runSeed())) {
  const schedule = new CheckSchedule({ inFlightMax, random });
  const servers = Array.from({ length: count }, (_, index) => `farms/f/servers/s${index}` as ServerResourceName);
  for (const server of servers) schedule.put(server, timing, 0);
  return { schedule, servers };
}

interface Begun {
  readonly server: ServerResourceName;
  readonly atMs: number;
}

/** Lets time pass, from event to event: each check that is begun takes `tookMs`. */
function run(schedule: CheckSchedule, fromMs: number, untilMs: number, tookMs = 1, isChanging = false): Begun[] {
  const begun: Begun[] = [];
  const running: { server: ServerResourceName; endsMs: number }[] = [];
  for (let nowMs = fromMs; ; ) {
    const endsMs = running[0]?.endsMs ?? Number.POSITIVE_INFINITY;
    nowMs = Math.max(nowMs, Math.min(endsMs, schedule.nextMs));
    if (nowMs > untilMs) break;
    while (running[0] !== undefined && running[0].endsMs <= nowMs)
      schedule.done(running.shift()!.server, isChanging, nowMs);
    for (let server = schedule.take(nowMs); server !== undefined; server = schedule.take(nowMs)) {
      begun.push({ server, atMs: nowMs });
      running.push({ server, endsMs: nowMs + tookMs });
    }
  }
  for (const { server, endsMs } of running) schedule.done(server, isChanging, endsMs);
  return begun;
}

/** How many checks began in each of the slices of a span. */
function slices(begun: readonly Begun[], fromMs: number, untilMs: number, count: number): number[] {
  const counts = new Array<number>(count).fill(0);
  for (const { atMs } of begun)
    if (atMs >= fromMs && atMs < untilMs) counts[Math.floor(((atMs - fromMs) / (untilMs - fromMs)) * count)]! += 1;
  return counts;
}

/** Null where the checks begin evenly over the slices of a span, else what was counted. */
function unevenness(begun: readonly Begun[], fromMs: number, untilMs: number): string | null {
  const counts = slices(begun, fromMs, untilMs, 20);
  return deviation(
    Object.fromEntries(counts.entries()),
    Object.fromEntries(counts.map((_, slice) => [slice, 1 / counts.length])),
  );
}

describe("checks", () => {
  it("of 2,000 servers that came together are spread evenly over the interval, at first and later", () => {
    const { schedule } = scheduleOf(2000, { ...steady, jitterPercent: 10 });
    const begun = run(schedule, 0, 12_000);
    expect(unevenness(begun, 0, 2000)).toBeNull();
    expect(unevenness(begun, 10_000, 12_000)).toBeNull();
    expect(new Set(begun.filter(({ atMs }) => atMs < 2000).map(({ server }) => server)).size).toBe(2000);
  });

  it("of a server come once in an interval, from beginning to beginning", () => {
    const { schedule } = scheduleOf(1);
    const times = run(schedule, 0, 20_000, 300).map(({ atMs }) => atMs);
    expect(times).toHaveLength(10);
    for (const [index, atMs] of times.entries()) if (index > 0) expect(atMs - times[index - 1]!).toBe(2000);
  });

  it("of servers that change come at the fast interval", () => {
    const { schedule } = scheduleOf(1);
    expect(run(schedule, 0, 9999, 1, true).length).toBeGreaterThanOrEqual(16);
  });

  it.each([0, 10, 50])("are put off by at most %d percent of the interval, either way, and evenly", (jitterPercent) => {
    const { schedule } = scheduleOf(1, { ...steady, jitterPercent });
    const times = run(schedule, 0, 2_000_000).map(({ atMs }) => atMs);
    const pauses = times.slice(1).map((atMs, index) => atMs - times[index]!);
    const most = (2000 * jitterPercent) / 100;
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(2000 - most);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(2000 + most);
    const mean = pauses.reduce((sum, pause) => sum + pause, 0) / pauses.length;
    // Six standard errors of an even distribution of that width.
    expect(Math.abs(mean - 2000)).toBeLessThanOrEqual((6 * most) / Math.sqrt(3 * pauses.length) + 1e-6);
  });

  it("of a server that is new come soon however long its interval is, and the second one is the one that is spread", () => {
    const hour = 3_600_000;
    const { schedule } = scheduleOf(1000, { intervalMs: hour, fastIntervalMs: hour, jitterPercent: 0 });
    const begun = run(schedule, 0, hour + 2000);
    expect(new Set(begun.filter(({ atMs }) => atMs < 2000).map(({ server }) => server)).size).toBe(1000);
    expect(unevenness(begun, 2000, hour + 2000)).toBeNull();
  });

  it("run at most so many at once, and never two of one server", () => {
    const { schedule } = scheduleOf(2000, steady, 256);
    const running = new Set<ServerResourceName>();
    let most = 0;
    for (let nowMs = 0; nowMs < 30_000; nowMs += 50) {
      for (let server = schedule.take(nowMs); server !== undefined; server = schedule.take(nowMs)) {
        expect(running.has(server)).toBe(false);
        running.add(server);
        most = Math.max(most, running.size);
      }
      expect(schedule.inFlight).toBe(running.size);
      // The oldest end, slowly: there is always more to do than there is room for.
      for (const server of [...running].slice(0, 20)) {
        running.delete(server);
        schedule.done(server, false, nowMs);
      }
    }
    expect(most).toBe(256);
  });

  it("that are overdue are begun in the order in which they were due, and none is left out", () => {
    const { schedule, servers } = scheduleOf(100, steady, 1);
    const inOrder = scheduleOf(100, steady, 100, seededRandom(runSeed())).schedule;
    const due = run(inOrder, 0, 2000).map(({ server }) => server);
    const begun = run(schedule, 5000, 5099, 1).map(({ server }) => server);
    expect(begun).toEqual(due.slice(0, 100));
    expect(new Set(begun)).toEqual(new Set(servers));
  });

  it("come nearer when the interval becomes shorter, and are put off by none that becomes longer", () => {
    const long: CheckTiming = { intervalMs: 600_000, fastIntervalMs: 600_000, jitterPercent: 0 };
    const { schedule, servers } = scheduleOf(50, long);
    run(schedule, 0, 2000);
    for (const server of servers) schedule.put(server, { ...long, intervalMs: 1000 }, 5000);
    expect(new Set(run(schedule, 5000, 6000).map(({ server }) => server)).size).toBe(50);
    const nextMs = schedule.nextMs;
    for (const server of servers) schedule.put(server, long, 6000);
    expect(schedule.nextMs).toBe(nextMs);
  });

  it("stay where they are when the timing is what it was", () => {
    const { schedule, servers } = scheduleOf(50);
    run(schedule, 0, 2000);
    const { nextMs } = schedule;
    for (const server of servers) schedule.put(server, { ...steady }, 2000);
    expect(schedule.nextMs).toBe(nextMs);
  });

  it("of a server that was taken out come no more, and its place is free", () => {
    const { schedule, servers } = scheduleOf(2, steady, 1);
    const first = schedule.take(2000)!;
    const other = servers.find((each) => each !== first)!;
    expect(schedule.nextMs).toBe(Number.POSITIVE_INFINITY);
    schedule.remove(first);
    expect(schedule.take(2000)).toBe(other);
    // Its end is no news.
    schedule.done(first, false, 2001);
    expect([schedule.inFlight, schedule.size]).toEqual([1, 1]);
  });

  it("are hastened to now, but for one that runs already", () => {
    const { schedule, servers } = scheduleOf(1);
    const [server] = servers as [ServerResourceName];
    expect(schedule.take(2000)).toBe(server);
    schedule.hasten(server, 2000);
    expect(schedule.nextMs).toBe(Number.POSITIVE_INFINITY);
    schedule.done(server, false, 2001);
    schedule.hasten(server, 2002);
    expect(schedule.take(2002)).toBe(server);
  });
});
