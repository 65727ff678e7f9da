import { GateOutcome, RolloutState } from "../../proto/gen/switchyard/config/v1/releases.ts";
import { WavePhase } from "../../proto/gen/switchyard/rollout/v1/rollout_service.ts";
import type { Rollout, WaveStatus } from "../../proto/gen/switchyard/rollout/v1/rollout_service.ts";
import type { CliContext } from "../context.ts";
import { clipped, displayWidth, padded } from "./display-width.ts";
import { gateTable, judgementText } from "./judgement-text.ts";
import { timeText } from "./message-json.ts";
import { drawnLine, plain, wrapped } from "./painted-line.ts";
import type { PaintedLine, Span } from "./painted-line.ts";
import { failureText } from "./policy-text.ts";
import { barLegend, waveBar } from "./rollout-bar.ts";
import {
  isWatched,
  phaseColour,
  phaseText,
  rolloutStateColour,
  rolloutStateText,
  stepText,
  timeLeftText,
  waveCountsText,
  waveName,
} from "./rollout-words.ts";
import { safeText } from "./safe-text.ts";

export interface StatusShape {
  /** Columns; infinite where lines may be as long as they are. */
  readonly width: number;
  /** How old the answer is: what was left of a time then is less by as much. */
  readonly ageMs: number;
  /** A line for each region of a wave that is in several. */
  readonly regions: boolean;
}

/** The widest bar: beyond it a column says no more. */
const barMax = 40;
const barMin = 8;

/** Of the names of waves and regions; longer ones are cut. */
const labelMax = 28;

/** One rollout as text: what it is, a bar for each wave, the gates that are looked at, what comes next. */
export function rolloutText(context: CliContext, rollout: Rollout, shape: StatusShape): string {
  const lines = [
    ...headerLines(rollout),
    [],
    ...waveLines(rollout, shape),
    barLegend,
    ...rollout.waves.flatMap((wave, index) => gateLines(wave, index, shape.width)),
    ...outlookLines(rollout, shape.width),
  ];
  return lines.map((line) => `${drawnLine(context, line, shape.width)}\n`).join("");
}

function headerLines(rollout: Rollout): PaintedLine[] {
  const { name, state, targetRevision, policy, emergency, decisions, waves, onFailure } = rollout;
  const [first, last] = [decisions[0], decisions.at(-1)];
  const colour = rolloutStateColour(state);
  const by = policy === "" ? "" : ` by ${policy}`;
  const count = waves.length === 1 ? "1 wave" : `${waves.length} waves`;
  const goes = emergency ? "to all nodes at once" : `in ${count}${by}; on a failed gate: ${failureText(onFailure)}`;
  const said = (decision: typeof first): string => {
    if (decision === undefined) return "";
    const who = decision.author === "" ? "" : ` by ${decision.author}`;
    return `${timeText(decision.time)}${who}${decision.reason === "" ? "" : `: ${decision.reason}`}`;
  };
  const stateSpan: Span = { text: rolloutStateText(state), ...(colour && { colour }) };
  const field = (label: string, ...spans: Span[]): PaintedLine => [{ text: label.padEnd(11) }, ...spans];
  return [
    field(
      "rollout",
      { text: `${name}, ` },
      stateSpan,
      ...(emergency ? [{ text: ", EMERGENCY", colour: "red" } as const] : []),
    ),
    field("revision", { text: `${targetRevision}, ${goes}` }),
    field("started", { text: said(first) }),
    ...(last === undefined || last === first
      ? []
      : [field("last step", { text: `${stepText(last, rollout)}, ${said(last)}` })]),
  ];
}

/** One line of bars: a wave, or a region of one. */
interface BarRow {
  readonly label: string;
  readonly bar: (width: number) => PaintedLine;
  readonly words: PaintedLine;
}

/** A line for each wave, and one for each of its regions where it has several; all bars begin in one column. */
function waveLines({ waves }: Rollout, { width, ageMs, regions }: StatusShape): PaintedLine[] {
  const rows = waves.flatMap((wave, index): BarRow[] => [
    waveRow(wave, index, ageMs),
    ...(regions && wave.regions.length > 1 && wave.phase !== WavePhase.WAVE_PHASE_PENDING ? regionRows(wave) : []),
  ]);
  const labelWidth = Math.min(labelMax, Math.max(0, ...rows.map(({ label }) => displayWidth(safeText(label)))));
  const wordsWidth = Math.max(0, ...rows.map(({ words }) => displayWidth(words.map(({ text }) => text).join(""))));
  const barWidth = Math.max(barMin, Math.min(barMax, width - labelWidth - wordsWidth - 4));
  return rows.map(({ label, bar, words }) => [
    { text: `${padded(drawnLabel(label, labelWidth), labelWidth)}  ` },
    ...bar(barWidth),
    { text: "  " },
    ...words,
  ]);
}

function drawnLabel(label: string, widthMax: number): string {
  const safe = safeText(label);
  return displayWidth(safe) <= widthMax ? safe : `${clipped(safe, widthMax - 1)}~`;
}

function waveRow({ title, phase, counts, remaining }: WaveStatus, index: number, ageMs: number): BarRow {
  const colour = phaseColour(phase);
  const leftMs = remaining === undefined ? undefined : Number(remaining.seconds) * 1000 + remaining.nanos / 1e6 - ageMs;
  const left = leftMs === undefined ? "" : `, ${timeLeftText(leftMs)} left`;
  return {
    label: waveName(index, title),
    bar: (width) => waveBar(counts, phase, width),
    words: [
      { text: `${phaseText(phase)}${left}`, ...(colour && { colour }) },
      { text: `; ${waveCountsText(counts, phase)}` },
    ],
  };
}

/** Bars in proportion to the wave's: a region with a tenth of its nodes has a tenth of its bar. */
function regionRows({ regions, counts, phase }: WaveStatus): BarRow[] {
  const nodes = Math.max(1, counts?.nodes ?? 1);
  return regions.map(({ region, counts: inRegion }) => ({
    label: `    ${region === "" ? "(no region)" : region}`,
    bar: (width) => {
      const part = Math.min(width, Math.max(1, Math.round(((inRegion?.nodes ?? 0) * width) / nodes)));
      return [...waveBar(inRegion, phase, part), { text: " ".repeat(width - part) }];
    },
    words: plain(waveCountsText(inRegion, phase)),
  }));
}

/** The gates of a wave that is watched, or that failed; below them what there is to say of those that failed. */
function gateLines(wave: WaveStatus, index: number, width: number): PaintedLine[] {
  const { gates, title } = wave;
  if (gates.length === 0 || !isWatched(wave)) return [];
  // The sentences are long: on a terminal those of failed gates stand below, broken into lines.
  const fits = !Number.isFinite(width);
  const [header = "", ...rows] = gateTable(gates, fits).trimEnd().split("\n");
  const failed = gates.filter(({ outcome }) => outcome === GateOutcome.GATE_OUTCOME_FAILED);
  return [
    [],
    plain(`gates of ${waveName(index, title)}`),
    plain(`  ${header}`),
    ...rows.map((row, at): PaintedLine => {
      const isFailed = gates[at]?.outcome === GateOutcome.GATE_OUTCOME_FAILED;
      return [{ text: `  ${row}`, ...(isFailed && ({ colour: "red" } as const)) }];
    }),
    ...(fits
      ? []
      : failed.flatMap(({ gate, detail }) =>
          wrapped(`${gate}: ${detail}`, width - 2).map((text) => plain(`  ${text}`)),
        )),
  ];
}

function outlookLines({ outlook, state }: Rollout, width: number): PaintedLine[] {
  if (outlook === "") return [];
  const colour = state === RolloutState.ROLLOUT_STATE_PAUSED ? "yellow" : undefined;
  return [[], ...wrapped(outlook, width).map((text): PaintedLine => [{ text, ...(colour && ({ colour } as const)) }])];
}

/** Every decision, oldest first, with the figures that it was decided by: what `--decisions` adds. */
export function decisionsText(rollout: Rollout): string {
  return rollout.decisions
    .map((decision) => {
      const { revision, time, author, reason, judgement } = decision;
      const why = reason === "" ? "" : `: ${reason}`;
      const line = `revision ${revision}   ${timeText(time)}   ${author}   ${stepText(decision, rollout)}${why}`;
      return `${safeText(line)}\n${judgement === undefined ? "" : judgementText(judgement, "    ")}`;
    })
    .join("");
}
