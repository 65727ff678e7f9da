/**
 * The rule table with a million names, against its goals. Run after a build: `node dist/bench/table.bench.js`, with
 * `--expose-gc` for steadier figures. A number as argument takes the place of the million.
 */
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
      serverNames: [pattern as ServerNamePattern],
      noServerName: false,
      alpnProtocols: [],
      sourceNetworks: [],
    },
    action: { to: "farm", farm: farms[index % farms.length] as FarmName },
  };
}

/** One name in a hundred is a wildcard; the rest is `app-123456.customer-1234.example.net` and the like. */
function pattern(index: number): string {
  return index < wildcards ? `*.team-${index}.example.org` : `app-${index}.customer-${index % 5000}.example.net`;
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
    if (kind >= 0.75) name = `app-${drawn}.unknown-${drawn % 977}.example.net`;
    else if (kind >= 0.5) name = `host-${drawn}.team-${drawn % wildcards}.example.org`;
    for (let at = 0; at < name.length; at += 1) bytes[end + at] = name.charCodeAt(at);
    end += name.length;
    ends[index] = end;
  }
  return { bytes, ends };
}

function benchBuild(routes: readonly Route[]): RuleTable {
  const built: number[] = [];
  let table = RuleTable.build([], hashSeed);
  for (let round = 0; round < rounds; round += 1) {
    globalThis.gc?.();
    built.push(
      elapsedMs(() => {
        table = RuleTable.build(routes, hashSeed);
      }),
    );
  }
  line("build", `${median(built).toFixed(0)} ms (first ${built[0]?.toFixed(0)} ms)`, "goal 1000 ms");
  line("memory beyond the model", `${(table.bytesUsed / names).toFixed(1)} bytes a name`, "goal 80");
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

/** Applies the changes one by one; their times in microseconds, ascending. */
function timeEach(table: RuleTable, changes: readonly { before: Route | null; after: Route | null }[]): Float64Array {
  const us = new Float64Array(changes.length);
  for (const [index, change] of changes.entries()) us[index] = 1000 * elapsedMs(() => table.apply([change]));
  return us.sort();
}

function changeLine(what: string, us: Float64Array): void {
  const at = (share: number): string => (us[Math.floor((us.length - 1) * share)] as number).toFixed(1);
  line(what, `p50 ${at(0.5)} p99.9 ${at(0.999)} max ${at(1)} us`, "goal 50 us");
}

function benchChanges(table: RuleTable, routes: readonly Route[]): void {
  const draw = random(2);
  const some = (): Route => routes[wildcards + Math.floor(draw() * (names - wildcards))] as Route;
  const updates = Array.from({ length: 20_000 }, () => {
    const before = some();
    const after: Route = { ...before, action: { to: "farm", farm: "farms/other" } };
    return { before, after };
  });
  changeLine("change a route's action", timeEach(table, updates));
  table.apply(updates.map(({ before, after }) => ({ before: after, after: before })));
  const inserts = Array.from({ length: 600_000 }, (_, index) => ({
    before: null,
    after: route(names + index, `new-${index}.customer-${index % 5000}.example.net`),
  }));
  // Enough of them that each segment of the index is split on the way.
  changeLine("create 600,000 routes, one by one", timeEach(table, inserts));
  const deletes = inserts.map(({ after }) => ({ before: after, after: null }));
  changeLine("delete them again", timeEach(table, deletes));
}

/** A large commit by the way of a fork: what the longest turn takes. */
function benchSlices(table: RuleTable): void {
  const worst: number[] = [];
  const total: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    globalThis.gc?.();
    const slices = Array.from({ length: 100 }, (_, slice) =>
      Array.from({ length: 1000 }, (_, index) => ({
        before: null,
        after: route(names + slice * 1000 + index, `bulk-${slice}-${index}.customer-${index}.example.net`),
      })),
    );
    let fork = table;
    const turns = [
      elapsedMs(() => {
        fork = table.fork();
      }),
      ...slices.map((slice) => elapsedMs(() => fork.apply(slice))),
    ];
    worst.push(Math.max(...turns));
    total.push(turns.reduce((sum, ms) => sum + ms, 0));
  }
  line(
    "100,000 routes to a fork, in turns of 1,000",
    `${median(total).toFixed(0)} ms, longest turn ${median(worst).toFixed(1)} ms`,
    "goal 20 ms a turn",
  );
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

console.log(`${names} names, ${wildcards} of them wildcards, a route each; medians of ${rounds} rounds`);
const routes = Array.from({ length: names }, (_, index) => route(index, pattern(index)));
const table = benchBuild(routes);
benchLookup(table);
benchChanges(table, routes);
benchSlices(table);
benchRivals();
