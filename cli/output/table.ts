import { safeText } from "./safe-text.ts";

const gap = "   ";

/**
 * Aligned columns without wrapping, as kubectl prints them: headers first, one row a line, no trailing blanks. An
 * empty cell shows as `-`, so that every row has every column for `awk`.
 */
export function renderTable(headers: readonly string[], rows: readonly (readonly string[])[]): string {
  const shown = rows.map((row) => row.map(cellText));
  const widths = headers.map((header, column) =>
    shown.reduce((width, row) => Math.max(width, row[column]?.length ?? 0), header.length),
  );
  return [headers, ...shown].map((row) => `${formatRow(row, widths)}\n`).join("");
}

/** One row under given widths, for output that grows while it is shown. */
export function formatRow(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((cell, column) => cellText(cell).padEnd(widths[column] ?? 0))
    .join(gap)
    .trimEnd();
}

function cellText(cell: string): string {
  return cell === "" ? "-" : safeText(cell);
}

/** The first few of many values, and how many there are beside them. */
export function abridged(values: readonly string[], shownMax = 3): string {
  const shown = values.slice(0, shownMax).join(",");
  return values.length > shownMax ? `${shown},+${values.length - shownMax} more` : shown;
}

/** Names and values under each other, the values aligned. */
export function renderFields(fields: readonly (readonly [string, string])[]): string {
  const width = fields.reduce((longest, [name]) => Math.max(longest, name.length), 0);
  return fields.map(([name, value]) => `${name.padEnd(width)}   ${cellText(value)}\n`).join("");
}
