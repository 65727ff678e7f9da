import { GateOutcome } from "../../proto/gen/switchyard/config/v1/releases.ts";
import type { GateFigure, WaveCounts, WaveJudgement } from "../../proto/gen/switchyard/config/v1/releases.ts";
import type { CliContext } from "../context.ts";
import { paint } from "../context.ts";
import type { ReleaseFact } from "../../model/wire/release-events.ts";
import { releaseWords } from "./release-text.ts";
import { safeText } from "./safe-text.ts";
import { renderTable } from "./table.ts";

/** A release event as `show` prints it: what was done, and the figures that it was decided by. */
export function releaseText(context: CliContext, fact: ReleaseFact, revision: bigint): string {
  const heading = `${paint(context, "yellow", `* ${safeText(releaseWords(fact, revision))}`)}\n`;
  const judgement = "judgement" in fact.value ? fact.value.judgement : undefined;
  return judgement === undefined ? heading : heading + judgementText(judgement, "      ");
}

/** How a wave stood when something was decided about it: its nodes, and below them its gates. */
export function judgementText({ wave, counts, gates }: WaveJudgement, indent: string): string {
  const nodes = counts === undefined ? "" : `${indent}wave ${wave + 1}: ${countsText(counts)}\n`;
  return nodes + (gates.length === 0 ? "" : indented(gateTable(gates), indent));
}

/** `5 of 6 reachable nodes applied; 1 refused, 1 unreachable`; troubles only where there are any. */
export function countsText(counts: WaveCounts): string {
  const { nodes, reachable, applied, refused, lost, crashed, different } = counts;
  const troubles = [
    [refused, "refused"],
    [different, "DIFFERENT"],
    [lost, "lost"],
    [crashed, "crashed"],
    [nodes - reachable, "unreachable"],
  ] as const;
  const said = troubles.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  return [`${applied} of ${reachable} reachable nodes applied`, ...(said.length === 0 ? [] : [said.join(", ")])].join(
    "; ",
  );
}

const gateHeaders = ["GATE", "OUTCOME", "OBSERVED", "AGAINST", "SAMPLE", "P", "DETAIL"];

/** A row for each gate, with what it went by; the sentence about it, which may be long, can be left to the caller. */
export function gateTable(gates: readonly GateFigure[], detail = true): string {
  const rows = gates.map((figure) => [
    figure.gate,
    outcomeText(figure.outcome),
    figureText(figure.gate, figure.observed),
    figureText(figure.gate, figure.limit),
    sampleText(figure),
    // Without a test there is no probability to show.
    figure.sample === 0n || figure.pValue >= 1 ? "" : probabilityText(figure.pValue),
    figure.detail,
  ]);
  return detail
    ? renderTable(gateHeaders, rows)
    : renderTable(
        gateHeaders.slice(0, -1),
        rows.map((row) => row.slice(0, -1)),
      );
}

/** Counts of nodes for these, shares for the others. */
const countingGates: ReadonlySet<string> = new Set(["refused", "digest"]);

function figureText(gate: string, value: number): string {
  if (countingGates.has(gate)) return String(value);
  const percent = value * 100;
  // Two digits that say something: 100%, 5.3%, 0.021%.
  return `${percent >= 10 || percent === 0 ? Math.round(percent * 10) / 10 : Number(percent.toPrecision(2))}%`;
}

/** `0.43`, `2.0e-5`. */
function probabilityText(value: number): string {
  return value < 0.001 && value > 0 ? value.toExponential(1) : value.toPrecision(2);
}

function sampleText({ sample, controlSample }: GateFigure): string {
  return sample === 0n && controlSample === 0n ? "" : `${sample}:${controlSample}`;
}

/** What a gate says; in capitals where it stops the rollout. */
export function outcomeText(outcome: GateOutcome): string {
  switch (outcome) {
    case GateOutcome.GATE_OUTCOME_PASSED:
      return "passed";
    case GateOutcome.GATE_OUTCOME_FAILED:
      return "FAILED";
    case GateOutcome.GATE_OUTCOME_WAITING:
      return "waiting";
    case GateOutcome.GATE_OUTCOME_INCONCLUSIVE:
      return "inconclusive";
    case GateOutcome.GATE_OUTCOME_UNSPECIFIED:
      return "";
  }
}

export function indented(text: string, indent: string): string {
  return text.replace(/^(?=.)/gm, indent);
}
