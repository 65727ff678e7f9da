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

/** Markdown. A figure that was not measured is left empty. */
export function resumptionTable(rows: readonly TableRow[], columns: readonly TableColumn[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const head = ["Servers", "Sessions", ...columns.map(({ title }) => title)];
  const body = rows.map(({ farm, stack, mode }) => {
    const figures = columns.map(({ percents }) => percents.get(farm)).map((percent) => percentText(percent));
    return line([stack, modeText[mode], ...figures]);
  });
  const rule = ["---", "---", ...columns.map(() => "---:")];
  return [line(head), line(rule), ...body].join("\n");
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
