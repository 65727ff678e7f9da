import type { MeasureName } from "./measure.ts";
import { busiestOthers, othersMax, type Results, type TargetResults } from "./results.ts";
import { tableText } from "./table-text.ts";

/** What is shown of each measure, and how. */
const columns: Readonly<Record<MeasureName, readonly Column[]>> = {
  rate: [
    ["conn/s", "connectionsPerSecond", whole],
    ["CPU us/conn", "cpuUsPerConnection", oneDecimal],
    ["of it user", "userUsPerConnection", oneDecimal],
    ["sleeps/conn", "sleepsPerConnection", twoDecimals],
    ["p50 us", "latencyP50Us", whole],
    ["p99 us", "latencyP99Us", whole],
    ["core busy", "proxyBusy", percent],
    ["by others", "othersOnCore", percent],
  ],
  bulk: [
    ["MB/s", "bytesPerSecond", (value) => whole(value / 1e6)],
    ["to clients", "bytesPerSecondToClients", (value) => whole(value / 1e6)],
    ["CPU ns/KiB", "cpuNsPerKiB", oneDecimal],
    ["core busy", "proxyBusy", percent],
    ["by others", "othersOnCore", percent],
  ],
  rtt: [
    ["trips/s", "roundTripsPerSecond", whole],
    ["p50 us", "latencyP50Us", whole],
    ["p99 us", "latencyP99Us", whole],
    ["p99.9 us", "latencyP999Us", whole],
    ["CPU us/trip", "cpuUsPerRoundTrip", twoDecimals],
    ["core busy", "proxyBusy", percent],
    ["by others", "othersOnCore", percent],
  ],
  idle: [
    ["bytes/pair", "bytesPerConnection", whole],
    ["process MiB", "residentBytesBefore", (value) => oneDecimal(value / 2 ** 20)],
  ],
  "half-hello": [
    ["bytes/hello", "bytesPerConnection", whole],
    ["process MiB", "residentBytesBefore", (value) => oneDecimal(value / 2 ** 20)],
  ],
  scaling: [
    ["times one", "timesOne", twoDecimals],
    ["CPU us/conn, 1", "cpuUsOneThread", oneDecimal],
    ["CPU us/conn, 2", "cpuUsTwoThreads", oneDecimal],
    ["conn/s, 1", "connectionsPerSecondOneThread", whole],
    ["conn/s, 2", "connectionsPerSecondTwoThreads", whole],
  ],
  tls: [
    ["p50 us", "handshakeP50Us", whole],
    ["p99 us", "handshakeP99Us", whole],
  ],
  million: [
    ["ready ms", "readyMs", whole],
    ["table B/name", "tableBytesPerName", oneDecimal],
    ["process MiB", "residentBytes", (value) => oneDecimal(value / 2 ** 20)],
  ],
  commit: [
    ["applied ms", "appliedMs", whole],
    ["p99.9 us quiet", "latencyP999QuietUs", whole],
    ["p99.9 us", "latencyP999Us", whole],
    ["ratio", "latencyP999Ratio", twoDecimals],
    ["conn p99 ms", "connectionP99Ms", oneDecimal],
    ["table B/name", "tableBytesPerName", oneDecimal],
  ],
};

type Column = readonly [title: string, figure: string, show: (value: number) => string];

const titles: Readonly<Record<MeasureName, string>> = {
  rate: "Short connections",
  bulk: "Bulk, 16 streams, both directions",
  rtt: "64-byte round trips, 16 streams",
  idle: "Idle pairs",
  "half-hello": "Half-received hellos",
  scaling: "Two engine threads on two cores",
  commit: "A commit of 100,000 routes during load",
  tls: "Full TLS handshakes, one at a time",
  million: "A start with a million routes",
};

/** The whole report for a terminal. */
export function reportText(results: Results): string {
  const parts: string[] = [];
  const others = busiestOthers(results.measures);
  if (others > othersMax) {
    parts.push(`PROVISIONAL: other processes had up to ${percent(others)} of the proxy's core`);
  }
  for (const [measure, targets] of Object.entries(results.measures)) {
    const name = measure as MeasureName;
    const shown = columns[name];
    const rows = [["", ...shown.map(([title]) => title), "rounds"]];
    for (const [target, of] of Object.entries(targets)) {
      rows.push([target, ...shown.map((column) => cell(of, column)), roundsText(of)]);
    }
    parts.push(`${titles[name]} (medians)\n${tableText(rows)}`);
  }
  if (Object.keys(results.counts).length > 0) parts.push(countsText(results));
  const missing = Object.entries(results.missing).map(([target, why]) => `${target}: ${why}`);
  if (missing.length > 0) parts.push(`Missing\n${missing.join("\n")}`);
  parts.push(goalsText(results));
  return `${parts.join("\n\n")}\n`;
}

function cell(results: TargetResults, [, figure, show]: Column): string {
  const value = results.medians?.[figure];
  return value === undefined ? "-" : show(value);
}

function roundsText(results: TargetResults): string {
  const good = results.rounds.length - results.failures;
  return results.failures === 0 ? `${good}` : `${good}, ${results.failures} FAILED`;
}

function countsText(results: Results): string {
  const rows = [["", "instructions user", "kernel", "system calls", "which"]];
  for (const [target, counts] of Object.entries(results.counts)) {
    const calls = Object.entries(counts.systemCallsByName ?? {});
    rows.push([
      target,
      counts.instructionsUser === undefined ? "-" : whole(counts.instructionsUser),
      counts.instructionsKernel === undefined ? "-" : whole(counts.instructionsKernel),
      counts.systemCalls === undefined ? "-" : oneDecimal(counts.systemCalls),
      counts.failure ?? calls.map(([name, count]) => `${name} ${twoDecimals(count)}`).join(", "),
    ]);
  }
  const counted = Object.values(results.counts).some((counts) => counts.instructionsUser !== undefined);
  const note = counted ? "" : "\ninstructions: this machine gives no counters (perf stat), or perf is missing";
  return `Counted per short connection\n${tableText(rows)}${note}`;
}

function goalsText(results: Results): string {
  const rows = [["measure", "goal", "ratio", "Switchyard", "against", "verdict", "note"]];
  for (const row of results.goals) {
    const ratio = row.ratio === undefined ? "" : twoDecimals(row.ratio);
    rows.push([row.measure, row.goal, ratio, row.ours, row.against, row.verdict, row.note]);
  }
  return `Goals\n${tableText(rows)}`;
}

function whole(value: number): string {
  return Math.round(value).toLocaleString("en");
}
function oneDecimal(value: number): string {
  return value.toFixed(1);
}
function twoDecimals(value: number): string {
  return value.toFixed(2);
}
function percent(value: number): string {
  return `${Math.round(value * 100)}%`;
}
