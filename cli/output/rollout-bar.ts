import type { WaveCounts } from "../../proto/gen/switchyard/config/v1/releases.ts";
import { WavePhase } from "../../proto/gen/switchyard/rollout/v1/rollout_service.ts";
import type { Colour, PaintedLine } from "./painted-line.ts";

/** What nodes of a wave can be, each with a character of its own, so that nothing hangs on colours. */
const marks = {
  applied: { mark: "#", colour: "green", says: "applied" },
  released: { mark: "-", colour: "yellow", says: "released" },
  refused: { mark: "!", colour: "red", says: "refused" },
  unreachable: { mark: "?", colour: "red", says: "unreachable" },
  pending: { mark: ".", colour: "dim", says: "not released" },
} as const satisfies Record<string, { mark: string; colour: Colour; says: string }>;

type NodeCounts = Readonly<Record<keyof typeof marks, number>>;

/** What the characters of bars mean. */
export const barLegend: PaintedLine = Object.values(marks).flatMap(({ mark, colour, says }, index) => [
  { text: index === 0 ? "" : "   " },
  { text: mark, colour },
  { text: ` ${says}` },
]);

/** A bar of so many columns for the nodes of a wave; blank where there are none. */
export function waveBar(counts: WaveCounts | undefined, phase: WavePhase, width: number): PaintedLine {
  const parts = Object.entries(counts === undefined ? {} : nodeCounts(counts, phase)).filter(([, count]) => count > 0);
  if (parts.length === 0) return [{ text: " ".repeat(width) }];
  const cells = shares(
    parts.map(([, count]) => count),
    width,
  );
  return parts.map(([kind], index) => {
    const { mark, colour } = marks[kind as keyof typeof marks];
    return { text: mark.repeat(cells[index] ?? 0), colour };
  });
}

/** Each node once. One that refuses some object of a revision may have applied the rest: it counts as refusing. */
function nodeCounts({ nodes, reachable, applied, refused, different }: WaveCounts, phase: WavePhase): NodeCounts {
  const unreachable = Math.max(0, nodes - reachable);
  const bad = Math.min(refused + different, nodes - unreachable);
  const good = Math.min(applied, nodes - unreachable - bad);
  const rest = nodes - unreachable - bad - good;
  const isReleased = phase !== WavePhase.WAVE_PHASE_PENDING && phase !== WavePhase.WAVE_PHASE_CANCELLED;
  return {
    applied: good,
    released: isReleased ? rest : 0,
    pending: isReleased ? 0 : rest,
    refused: bad,
    unreachable,
  };
}

/**
 * So many cells, shared out as the counts are. Whatever there is of has a cell: one node of a thousand that refuses can be
 * seen, and only a wave that has wholly applied has a bar that is full.
 */
export function shares(counts: readonly number[], width: number): number[] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const exact = counts.map((count) => (total === 0 ? 0 : (count * width) / total));
  const cells = exact.map((share, index) => ((counts[index] ?? 0) > 0 ? Math.max(1, Math.floor(share)) : 0));
  const sum = (): number => cells.reduce((all, one) => all + one, 0);
  const change = (by: 1 | -1, wish: (index: number) => number): void => {
    const best = [...cells.keys()].reduce((found, index) => (wish(index) > wish(found) ? index : found), 0);
    cells[best] = (cells[best] ?? 0) + by;
  };
  while (total > 0 && sum() < width) change(1, (index) => (exact[index] ?? 0) - (cells[index] ?? 0));
  // What there is little of keeps its cell; the others give.
  const spare = (index: number): number =>
    (cells[index] ?? 0) > 1 ? (cells[index] ?? 0) - (exact[index] ?? 0) : -Infinity;
  while (sum() > width) change(-1, spare);
  return cells;
}
