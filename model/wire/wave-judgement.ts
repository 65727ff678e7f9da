import type { GateOutcome as WireGateOutcome } from "../../proto/gen/switchyard/config/v1/releases.ts";
import type * as wire from "../../proto/gen/switchyard/config/v1/releases.ts";
import {
  type GateFigure,
  type GateName,
  gateNames,
  type GateOutcome,
  gateOutcomes,
  type WaveCounts,
  type WaveJudgement,
} from "../release-event.ts";
import { type FieldReader, quoted } from "./field-reader.ts";
import { policyWavesMax } from "./parse-rollout-policy.ts";

export function judgementToWire({ wave, counts, gates }: WaveJudgement): wire.WaveJudgement {
  return { wave, counts: countsToWire(counts), gates: gates.map(gateFigureToWire) };
}

export function countsToWire(counts: WaveCounts): wire.WaveCounts {
  return { ...counts };
}

export function gateFigureToWire(figure: GateFigure): wire.GateFigure {
  return {
    ...figure,
    outcome: gateOutcomeToWire(figure.outcome),
    sample: BigInt(figure.sample),
    controlSample: BigInt(figure.controlSample),
  };
}

export function gateOutcomeToWire(outcome: GateOutcome): WireGateOutcome {
  return (gateOutcomes.indexOf(outcome) + 1) as WireGateOutcome;
}

/** The number of a wave, from 0 on. */
export function parseWaveNumber(value: number, field: string, reader: FieldReader): number {
  return reader.number(field, value, { min: 0, max: policyWavesMax, fallback: 0 });
}

/** What failed; null for the empty text, which stands for nothing. */
export function parseFailedGate(text: string, field: string, reader: FieldReader): GateName | null {
  return text === "" ? null : parseGateName(text, field, reader);
}

/** Null where there is none. */
export function parseJudgement(
  message: wire.WaveJudgement | undefined,
  field: string,
  reader: FieldReader,
): WaveJudgement | null {
  if (message === undefined) return null;
  if (message.gates.length > gateNames.length)
    reader.refuse(`${field}.gates`, "too_many", `${message.gates.length} gates; there are ${gateNames.length}`);
  const gates = message.gates.slice(0, gateNames.length);
  return {
    wave: parseWaveNumber(message.wave, `${field}.wave`, reader),
    counts: parseCounts(message.counts),
    gates: gates.map((gate, index) => parseGateFigure(gate, `${field}.gates[${index}]`, reader)),
  };
}

function parseCounts(message: wire.WaveCounts | undefined): WaveCounts {
  const none: WaveCounts = { nodes: 0, reachable: 0, applied: 0, refused: 0, lost: 0, crashed: 0, different: 0 };
  if (message === undefined) return none;
  const { nodes, reachable, applied, refused, lost, crashed, different } = message;
  return { nodes, reachable, applied, refused, lost, crashed, different };
}

function parseGateFigure(message: wire.GateFigure, field: string, reader: FieldReader): GateFigure {
  const outcome = gateOutcomes[message.outcome - 1];
  if (outcome === undefined)
    reader.refuse(`${field}.outcome`, "malformed", `${String(message.outcome)} is no outcome of a gate`);
  const { observed, limit, pValue, detail } = message;
  return {
    gate: parseGateName(message.gate, `${field}.gate`, reader),
    outcome: outcome ?? "waiting",
    // Figures are shown, and nothing follows from them: any number is one.
    observed,
    limit,
    sample: Number(message.sample),
    controlSample: Number(message.controlSample),
    pValue,
    detail,
  };
}

function parseGateName(text: string, field: string, reader: FieldReader): GateName {
  const gate = gateNames.find((each) => each === text);
  if (gate === undefined) reader.refuse(field, "malformed", `${quoted(text)} is no gate`);
  return gate ?? "applied";
}
