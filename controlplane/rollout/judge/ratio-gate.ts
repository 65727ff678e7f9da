import type { GateFigure, GateName } from "../../../model/release-event.ts";
import type { RatioGate } from "../../../model/rollout-policy.ts";
import { percentText } from "./figures.ts";
import { isTimeToLook, type Looks, significanceAt } from "./looks.ts";
import { type Proportion, pValueOfExcess } from "./two-proportions.ts";

/** What a ratio is judged by. */
export interface RatioSample {
  readonly released: Proportion;
  /** The same time on nodes that are not released. */
  readonly control: Proportion;
  /** Released nodes themselves, before they were; for where there is too little control. */
  readonly before: Proportion;
}

export interface RatioJudged {
  readonly figure: GateFigure;
  readonly looks: Looks;
}

const words = { connect_failures: "connections fail", handshake_failures: "handshakes fail" } as const;

/**
 * Compares a ratio of released nodes with that of the others. It fails where a look finds more than the margin, and the test says that it is
 * no accident. `bakeOver`: no more looks come.
 */
export function judgeRatio(
  gate: GateName & keyof typeof words,
  policy: RatioGate,
  { released, control, before }: RatioSample,
  looks: Looks,
  bakeOver: boolean,
): RatioJudged {
  const alike = control.of >= policy.sampleMin || control.of >= before.of;
  const against = alike ? control : before;
  const observed = ratioOf(released);
  const limit = ratioOf(against);
  const others = alike ? "nodes that are not released" : "the same nodes before";
  const seen = `${percentText(observed)} of ${released.of} ${words[gate]}, against ${percentText(limit)} of ${against.of} on ${others}`;
  const figures = { gate, observed, limit, sample: released.of, controlSample: against.of };
  if (looks.found !== null) {
    const pValue = pValueOfExcess(released, against);
    return { figure: { ...figures, outcome: "failed", pValue, detail: looks.found }, looks };
  }
  const noTest = bakeOver ? "inconclusive" : "waiting";
  if (released.of < policy.sampleMin || against.of < policy.sampleMin) {
    const detail = `${seen}: fewer than ${policy.sampleMin} on each side say nothing`;
    return { figure: { ...figures, outcome: noTest, pValue: 1, detail }, looks };
  }
  const pValue = pValueOfExcess(released, against);
  const p = `p = ${pValue.toPrecision(2)}`;
  if (!isTimeToLook(looks, released.of, bakeOver)) {
    const outcome = bakeOver ? "passed" : "waiting";
    const next = bakeOver ? "the last look found nothing" : "the next look comes with a larger sample";
    return { figure: { ...figures, outcome, pValue, detail: `${seen} (${p}; ${next})` }, looks };
  }
  const look = looks.taken + 1;
  const taken = { taken: look, lastSample: released.of, found: null };
  const allowed = significanceAt(look, policy.significancePpm / 1e6);
  const margin = policy.marginBasisPoints / 10_000;
  const test = `${p}, look ${look} allows ${allowed.toPrecision(2)}`;
  if (pValue < allowed && observed - limit > margin) {
    const detail = `${seen}: more by over ${percentText(margin)}, and no accident (${test})`;
    return { figure: { ...figures, outcome: "failed", pValue, detail }, looks: { ...taken, found: detail } };
  }
  const why = pValue < allowed ? `not more by over ${percentText(margin)}` : "may be chance";
  const outcome = bakeOver ? "passed" : "waiting";
  return { figure: { ...figures, outcome, pValue, detail: `${seen}: ${why} (${test})` }, looks: taken };
}

function ratioOf({ events, of }: Proportion): number {
  return of === 0 ? 0 : events / of;
}
