import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { ResumptionMode } from "./tls-farm.ts";

/** A way to balance, and percent of the visits that were resumed, by farm. */
export interface TableColumn {
  readonly title: string;
  readonly percents: ReadonlyMap<string, number>;
}

export interface TableRow {
  readonly farm: string;
  readonly stack: string;
  readonly mode: ResumptionMode;
}

const modeText: Readonly<Record<ResumptionMode, string>> = {
  "tls13-tickets": "TLS 1.3, tickets",
  "tls12-tickets": "TLS 1.2, tickets",
  "tls12-ids": "TLS 1.2, session ids",
};

/** Names as their makers write them. */
export const stackText: Readonly<Record<string, string>> = {
  node: "Node",
  haproxy: "HAProxy",
  openssl: "OpenSSL",
  gnutls: "GnuTLS",
  java: "Java",
};

/** Markdown. A figure that was not measured is left empty. */
export function resumptionTable(rows: readonly TableRow[], columns: readonly TableColumn[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const head = ["Servers", "Sessions", ...columns.map(({ title }) => title)];
  const body = rows.map(({ farm, stack, mode }) => {
    const figures = columns.map(({ percents }) => percents.get(farm)).map((percent) => percentText(percent));
    return line([stackText[stack] ?? stack, modeText[mode], ...figures]);
  });
  const rule = ["---", "---", ...columns.map(() => "---:")];
  return [line(head), line(rule), ...body].join("\n");
}

/** What stands between the marks: how it was measured, with what, and when. */
export function measuredText(versions: readonly string[], comparator: string, table: string, when: Date): string {
  return `Measured on ${when.toISOString().slice(0, 10)} on one machine by
\`SWITCHYARD_TABLE=1 npx vitest run test/affinity/resumption.test.ts\`, with ${versions.join(", ")};
compared with HAProxy ${comparator}. Four servers to a farm, each with ticket keys and a session store of its own; 50 clients, five
visits each, through two nodes, or two HAProxy with a \`peers\` section, alternately. The figures: visits that resumed, as the
client saw it, and as the server did where it tells (GnuTLS' does not), of those in which the client had a session to offer. One
Switchyard node was killed after the second visits, and started again before the fourth, which waited until it had heard
from the other node. HAProxy was left alone.

${table}

"As published" is the stick table on the session id as HAProxy's manual has it; "with delay" the same with
\`tcp-response inspect-delay 5s\`.`;
}

function percentText(percent: number | undefined): string {
  return percent === undefined ? "" : `${percent.toFixed(1)}%`;
}

const document = fileURLToPath(new URL("../../docs/affinity.md", import.meta.url));
const [begin, end] = ["<!-- measured -->", "<!-- /measured -->"];

/** Puts text between the marks of docs/affinity.md. */
export function writeMeasured(text: string): void {
  const whole = readFileSync(document, "utf8");
  const [from, to] = [whole.indexOf(begin), whole.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/affinity.md has no ${begin} … ${end}`);
  writeFileSync(document, `${whole.slice(0, from + begin.length)}\n\n${text}\n\n${whole.slice(to)}`);
}
