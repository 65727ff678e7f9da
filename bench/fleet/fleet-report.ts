import { tableText } from "../compare/table-text.ts";
import type { FleetMeasure } from "./fleet-measure.ts";
import { busiestOthers, type FleetResults, othersMax } from "./fleet-results.ts";

/** The whole report for a terminal. */
export function fleetReportText(results: FleetResults, measures: readonly FleetMeasure[]): string {
  const parts: string[] = [];
  const others = busiestOthers(results.measures);
  if (others > othersMax)
    parts.push(`PROVISIONAL: other processes had up to ${Math.round(others * 100)}% of the machine`);
  for (const measure of measures) {
    const found = results.measures[measure.name];
    const why = results.missing[measure.name];
    if (why !== undefined) parts.push(`${measure.title}\nnot measured: ${why}`);
    if (found === undefined) continue;
    const rows = [["figure", "median", "rounds"]];
    for (const [figure, value] of Object.entries(found.medians ?? {})) {
      const each = found.rounds.flatMap((round) => ("figures" in round ? [shown(round.figures[figure])] : []));
      rows.push([figure, shown(value), each.length > 1 ? each.join(" ") : ""]);
    }
    const failures = found.rounds.flatMap((round) => ("failure" in round ? [`FAILED: ${round.failure}`] : []));
    parts.push([measure.title, tableText(rows), ...failures].join("\n"));
  }
  parts.push(goalsText(results));
  return `${parts.join("\n\n")}\n`;
}

function goalsText({ goals }: FleetResults): string {
  const rows = [["measure", "goal", "found", "verdict", "note"]];
  for (const { measure, goal, ours, verdict, note } of goals) rows.push([measure, goal, ours, verdict, note]);
  return `Goals\n${tableText(rows)}`;
}

/** Three digits say enough. */
function shown(value: number | undefined): string {
  if (value === undefined) return "-";
  if (Number.isInteger(value) || Math.abs(value) >= 999.5) return Math.round(value).toLocaleString("en");
  return value.toPrecision(3);
}
