/**
 * The rule table with a million names, against its goals. Run after a build: `node dist/bench/table.bench.js`, with
 * `--expose-gc` for steadier figures. A number as argument takes the place of the million.
 */
import { availableParallelism, loadavg } from "node:os";
import { PerformanceObserver, performance } from "node:perf_hooks";
import { setTimeout } from "node:timers/promises";
import { RuleTable } from "../dataplane/table/rule-table.ts";
import type { Narrowing } from "../dataplane/table/rivals.ts";
import type { FarmName } from "../model/resource-name.ts";
import type { Route } from "../model/resource.ts";
import type { ServerNamePattern } from "../model/server-name-pattern.ts";

const names = Number(process.argv[2] ?? 1_000_000);
const wildcards = Math.floor(names / 100);
const rounds = 7;
const hashSeed = 0x5eed;

const unnarrowed: Narrowing = { alpnIndex: () => -1, source: null };
const farms = Array.from({ length: 100 }, (_, index): FarmName => `farms/f${index}`);

function route(index: number, pattern: string): Route {
  return {
    kind: "route",
    name: `listeners/edge/routes/r${index}`,
    match: {
      serverNames: [flat(pattern) as ServerNamePattern],
      noServerName: false,
      alpnProtocols: [],
      sourceNetworks: [],
    },
    action: { to: "farm", farm: farms[index % farms.length] as FarmName },
  };
}

/** The text in one piece, as a decoder makes it; a template's parts would be joined at the first look, in the timing. */
function flat(text: string): string {
  return Buffer.from(text, "latin1").toString("latin1");
}

/** One name in a hundred is a wildcard; the rest is `app-123456.c-1234.example.net` and the like, 29 bytes. */
function pattern(index: number): string {
  return index < wildcards ? `*.team-${index}.example.org` : `app-${index}.c-${index % 5000}.example.net`;
}

function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[values.length >> 1] as number;
}

function elapsedMs(work: () => void): number {
  const start = process.hrtime.bigint();
  work();
  return Number(process.hrtime.bigint() - start) / 1e6;
}

/** Typed arrays are given back by a second collection, some time after the first. */
async function collect(): Promise<void> {
  for (let round = 0; round < 3; round += 1) {
    globalThis.gc?.();
    await setTimeout(50);
  }
}

function bytesInUse(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function line(what: string, figure: string, goal: string): void {
  console.log(`${what.padEnd(58)} ${figure.padStart(34)}   ${goal}`);
}

/** Announced names, packed: half of them known, a quarter under a wildcard, a quarter unknown. */
function announcements(count: number): { bytes: Uint8Array; ends: Int32Array } {
  const draw = random(1);
  const bytes = new Uint8Array(count * 64);
  const ends = new Int32Array(count);
  let end = 0;
  for (let index = 0; index < count; index += 1) {
    const kind = draw();
    const drawn = Math.floor(draw() * (names - wildcards)) + wildcards;
    let name = pattern(drawn);
    if (kind >= 0.75) name = `app-${drawn}.u-${drawn % 977}.example.net`;
    else if (kind >= 0.5) name = `host-${drawn}.team-${drawn % wildcards}.example.org`;
    for (let at = 0; at < name.length; at += 1) bytes[end + at] = name.charCodeAt(at);
    end += name.length;
    ends[index] = end;
  }
  return { bytes, ends };
}

async function benchBuild(routes: readonly Route[]): Promise<RuleTable> {
  const built: number[] = [];
  let table = RuleTable.build([], hashSeed);
  await collect();
  const bytesBefore = bytesInUse();
  for (let round = 0; round < rounds; round += 1) {
    globalThis.gc?.();
    built.push(
      elapsedMs(() => {
        table = RuleTable.build(routes, hashSeed);
      }),
    );
  }
  line("build", `${median(built).toFixed(0)} ms (first ${built[0]?.toFixed(0)} ms)`, "goal 1000 ms");
  line(
    "memory beyond the model, as the table counts it",
    `${(table.bytesUsed / names).toFixed(1)} bytes a name`,
    "goal 80",
  );
  if (globalThis.gc !== undefined) {
    await collect();
    line("  as the process counts it", `${((bytesInUse() - bytesBefore) / names).toFixed(1)} bytes a name`, "");
  }
  return table;
}

function benchLookup(table: RuleTable): void {
  const count = 1_000_000;
  const { bytes, ends } = announcements(count);
  const rates: number[] = [];
  let found = 0;
  for (let round = 0; round < rounds; round += 1) {
    found = 0;
    const ms = elapsedMs(() => {
      let start = 0;
      for (let index = 0; index < count; index += 1) {
        const end = ends[index] as number;
        if (table.lookup(bytes, start, end, unnarrowed) !== undefined) found += 1;
        start = end;
      }
    });
    rates.push(count / ms / 1000);
  }
  line(
    `lookup (${((100 * found) / count).toFixed(1)}% found)`,
    `${median(rates).toFixed(2)} million/s`,
    "goal 1 million/s",
  );
}

/** Start and end of each garbage collection's pause, in ms of `performance.now()`. */
const pauses: { readonly start: number; readonly end: number }[] = [];
const observer = new PerformanceObserver((list) => {
  for (const { startTime, duration } of list.getEntries()) pauses.push({ start: startTime, end: startTime + duration });
});

interface Timed {
  /** Ascending, in ms. */
  readonly all: Float64Array;
  /** The same without the garbage collection that happened to fall into them. */
  readonly own: Float64Array;
}

/** Times each piece of work by itself. */
async function timeEach(work: readonly (() => void)[]): Promise<Timed> {
  globalThis.gc?.();
  const starts = new Float64Array(work.length);
  const all = new Float64Array(work.length);
  for (const [index, each] of work.entries()) {
    const start = performance.now();
    each();
    starts[index] = start;
    all[index] = performance.now() - start;
  }
  // The observer hears of pauses in a later turn.
  await setTimeout(20);
  const own = all.slice();
  let index = 0;
  for (const { start, end } of pauses.toSorted((left, right) => left.start - right.start)) {
    while (index + 1 < starts.length && (starts[index + 1] as number) <= start) index += 1;
    const until = (starts[index] as number) + (all[index] as number);
    if (start >= (starts[index] as number) && start < until)
      own[index] = (own[index] as number) - (Math.min(end, until) - start);
  }
  return { all: all.sort(), own: own.sort() };
}

function changeLine(what: string, { all, own }: Timed): void {
  const us = (of: Float64Array, share: number): string =>
    ((of[Math.floor((of.length - 1) * share)] as number) * 1000).toFixed(1);
  const share = own.reduce((count, ms) => count + (ms > 0.05 ? 1 : 0), 0) / own.length;
  line(what, `p50 ${us(all, 0.5)}, p99.9 ${us(all, 0.999)} us`, "goal 50 us");
  line(
    "  the worst, without garbage collection",
    `${us(own, 1)} us`,
    `${(share * 1e6).toFixed(0)} in a million over 50 us`,
  );
  line("  the worst, with it", `${us(all, 1)} us`, "");
}

async function benchChanges(table: RuleTable, routes: readonly Route[]): Promise<void> {
  const draw = random(2);
  const some = (): Route => routes[wildcards + Math.floor(draw() * (names - wildcards))] as Route;
  const updates = Array.from({ length: 20_000 }, () => {
    const before = some();
    const after: Route = { ...before, action: { to: "farm", farm: "farms/other" } };
    return { before, after };
  });
  changeLine("change a route's action", await timeEach(updates.map((change) => () => table.apply([change]))));
  table.apply(updates.map(({ before, after }) => ({ before: after, after: before })));
  // So many that each segment of the index is split on the way.
  const inserts = Array.from({ length: Math.floor(names * 0.6) }, (_, index) => ({
    before: null,
    after: route(names + index, `new-${index}.c-${index % 5000}.example.net`),
  }));
  changeLine(
    "create routes, one by one, until all is split",
    await timeEach(inserts.map((each) => () => table.apply([each]))),
  );
  line("  memory after them", `${(table.bytesUsed / table.nameCount).toFixed(1)} bytes a name`, "goal 80");
  const deletes = inserts.map(({ after }) => ({ before: after, after: null }));
  changeLine("delete them, one by one", await timeEach(deletes.map((each) => () => table.apply([each]))));
}

/** A large commit by the way of a fork: what the longest turn takes. */
async function benchSlices(table: RuleTable): Promise<void> {
  const rounded: Timed[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const slices = Array.from({ length: 100 }, (_, slice) =>
      Array.from({ length: 1000 }, (_, index) => ({
        before: null,
        after: route(names + slice * 1000 + index, `bulk-${slice}-${index}.c-${index}.example.net`),
      })),
    );
    let fork = table;
    const first = (): void => {
      fork = table.fork();
    };
    rounded.push(await timeEach([first, ...slices.map((slice) => () => fork.apply(slice))]));
  }
  const longest = (of: (timed: Timed) => Float64Array): string =>
    median(rounded.map((timed) => of(timed).at(-1) as number)).toFixed(1);
  const total = median(rounded.map(({ all }) => all.reduce((sum, ms) => sum + ms, 0)));
  line("100,000 routes to a fork, in turns of 1,000", `${total.toFixed(0)} ms in all`, "");
  line("  the longest turn, without garbage collection", `${longest(({ own }) => own)} ms`, "goal 20 ms");
  line("  the longest turn, with it", `${longest(({ all }) => all)} ms`, "");
}

/** What a name that many routes share costs: they are a list, and each lookup goes through it. */
function benchRivals(): void {
  const many = Array.from({ length: 1000 }, (_, index): Route => {
    const shared = route(index, "*");
    return { ...shared, match: { ...shared.match, sourceNetworks: [`10.${index >> 8}.${index & 255}.0/24` as never] } };
  });
  const table = RuleTable.build(many, hashSeed);
  const name = new TextEncoder().encode("app.example.net");
  const narrowing: Narrowing = { alpnIndex: () => -1, source: Uint8Array.of(10, 3, 231, 7) };
  const us: number[] = [];
  for (let round = 0; round < rounds; round += 1)
    us.push(elapsedMs(() => repeat(10_000, () => table.lookup(name, 0, name.length, narrowing))) / 10);
  line("lookup of a name that 1,000 routes narrow", `${median(us).toFixed(1)} us`, "");
}

function repeat(times: number, work: () => void): void {
  for (let index = 0; index < times; index += 1) work();
}

const load = loadavg().map((each) => each.toFixed(1));
console.log(`${names} names, ${wildcards} of them wildcards, a route each; medians of ${rounds} rounds`);
console.log(`${availableParallelism()} cores, node ${process.version}, load ${load.join(" ")}`);
const routes = Array.from({ length: names }, (_, index) => route(index, pattern(index)));
const table = await benchBuild(routes);
benchLookup(table);
observer.observe({ entryTypes: ["gc"] });
await benchChanges(table, routes);
await benchSlices(table);
observer.disconnect();
benchRivals();
