import { OnGateFailure } from "../../proto/gen/switchyard/config/v1/resources.ts";
import type * as wire from "../../proto/gen/switchyard/config/v1/resources.ts";
import type { RolloutPolicyName } from "../resource-name.ts";
import type { RolloutPolicy } from "../resource.ts";
import {
  bakeTimeDefaultMs,
  type RatioGate,
  ratioGateDefaults,
  type RolloutGates,
  type RolloutWave,
  rolloutGatesDefaults,
  type StagedRelease,
  takesAllOf,
} from "../rollout-policy.ts";
import { type FieldReader, quoted } from "./field-reader.ts";

const day = 24 * 3_600_000;

/** Waves that a policy may have; a rollout may have one more, for the nodes that no wave of the policy takes. */
export const policyWavesMax = 32;

const labelsMax = 16;

/** Characters of a label's key or value, as nodes may have them. */
const labelTextMax = 128;

/** No control characters, and no halves of surrogate pairs, which have no UTF-8. */
const plainText = /^[^\p{Cc}\p{Cs}]*$/u;

/** A policy without its name, which the caller has read. */
export function parseRolloutPolicy(
  message: wire.RolloutPolicy,
  name: RolloutPolicyName,
  reader: FieldReader,
): RolloutPolicy {
  const kind = "rolloutPolicy";
  if (message.staged === undefined) return { kind, name, staged: null };
  const staged = parseStagedRelease(message.staged, "staged", reader, policyWavesMax);
  for (const [index, wave] of staged.waves.entries()) {
    const first = staged.waves.findIndex((earlier) => takesAllOf(earlier, wave));
    if (first >= index) continue;
    const field = `staged.waves[${index}]`;
    reader.refuse(field, "malformed", `no node is left for it: staged.waves[${first}] takes all that it selects`);
  }
  return { kind, name, staged };
}

/** `field` is that of the message. */
export function parseStagedRelease(
  message: wire.StagedRelease,
  field: string,
  reader: FieldReader,
  wavesMax: number,
): StagedRelease {
  const { waves } = message;
  if (waves.length === 0) reader.refuse(`${field}.waves`, "required", "a staged release needs a wave");
  if (waves.length > wavesMax)
    reader.refuse(`${field}.waves`, "too_many", `${waves.length} waves; at most ${wavesMax} are allowed`);
  return {
    waves: waves.slice(0, wavesMax).map((wave, index) => parseRolloutWave(wave, `${field}.waves[${index}]`, reader)),
    gates: parseGates(message.gates, `${field}.gates`, reader),
    onFailure:
      reader.choice(`${field}.on_failure`, message.onFailure, {
        [OnGateFailure.ON_GATE_FAILURE_UNSPECIFIED]: "roll_back",
        [OnGateFailure.ON_GATE_FAILURE_ROLL_BACK]: "roll_back",
        [OnGateFailure.ON_GATE_FAILURE_PAUSE]: "pause",
      }) ?? "roll_back",
    startAutomatically: message.startAutomatically,
  };
}

export function parseRolloutWave(message: wire.RolloutWave, field: string, reader: FieldReader): RolloutWave {
  const { title } = message;
  if (title.length > 63 || !plainText.test(title))
    reader.refuse(`${field}.title`, "malformed", `${quoted(title)} is no title: at most 63 characters, on one line`);
  const regions = reader.list(`${field}.regions`, message.regions, 64, (value, element) => {
    if (/^[\x21-\x7e]{1,63}$/.test(value)) return value;
    reader.refuse(element, "malformed", `${quoted(value)} is no region: 1 to 63 printable ASCII characters`);
    return undefined;
  });
  return {
    title,
    regions: [...regions].sort(),
    labels: parseLabels(message.labels, `${field}.labels`, reader),
    percent: reader.count(`${field}.percent`, message.percent, { min: 1, max: 100, fallback: 100 }),
    bakeTimeMs: reader.durationMs(`${field}.bake_time`, message.bakeTime, {
      min: 0,
      max: 7 * day,
      fallback: bakeTimeDefaultMs,
    }),
  };
}

/** In the order of their keys, so that what is stored does not depend on the order in which they were written. */
function parseLabels(labels: wire.RolloutWave["labels"], field: string, reader: FieldReader): RolloutWave["labels"] {
  const entries = Object.entries(labels).sort(([left], [right]) => (left < right ? -1 : 1));
  if (entries.length > labelsMax) {
    reader.refuse(field, "too_many", `${entries.length} labels; at most ${labelsMax} are allowed`);
    return {};
  }
  for (const [key, value] of entries) {
    if (key === "" || key.length > labelTextMax || !plainText.test(key))
      reader.refuse(field, "malformed", `${quoted(key)} is no key of a label: 1 to ${labelTextMax} characters`);
    if (value.length > labelTextMax || !plainText.test(value))
      reader.refuse(field, "malformed", `${quoted(value)} is no value of a label: at most ${labelTextMax} characters`);
  }
  return Object.fromEntries(entries);
}

function parseGates(message: wire.RolloutGates | undefined, field: string, reader: FieldReader): RolloutGates {
  const d = rolloutGatesDefaults;
  if (message === undefined) return d;
  const percent = { min: 0, max: 100 };
  return {
    applyDeadlineMs: reader.durationMs(`${field}.apply_deadline`, message.applyDeadline, {
      min: 1000,
      max: day,
      fallback: d.applyDeadlineMs,
    }),
    appliedMinPercent: reader.count(`${field}.applied_min`, message.appliedMin, {
      min: 1,
      max: 100,
      fallback: d.appliedMinPercent,
    }),
    refusedMax: reader.number(`${field}.refused_max`, message.refusedMax, {
      min: 0,
      max: 100_000,
      fallback: d.refusedMax,
    }),
    lostMaxPercent: reader.number(`${field}.lost_max`, message.lostMax ?? d.lostMaxPercent, {
      ...percent,
      fallback: d.lostMaxPercent,
    }),
    connectFailures: parseRatioGate(message.connectFailures, `${field}.connect_failures`, reader),
    handshakeFailures: parseRatioGate(message.handshakeFailures, `${field}.handshake_failures`, reader),
    healthyServersMinPercent: reader.number(
      `${field}.healthy_servers_min`,
      message.healthyServersMin ?? d.healthyServersMinPercent,
      { ...percent, fallback: d.healthyServersMinPercent },
    ),
  };
}

/** Null for one that is off. */
function parseRatioGate(message: wire.RatioGate | undefined, field: string, reader: FieldReader): RatioGate | null {
  const d = ratioGateDefaults;
  if (message === undefined) return d;
  const gate: RatioGate = {
    sampleMin: reader.count(`${field}.sample_min`, message.sampleMin, {
      min: 10,
      max: 1_000_000,
      fallback: d.sampleMin,
    }),
    significancePpm: reader.count(`${field}.significance_ppm`, message.significancePpm, {
      min: 1,
      max: 100_000,
      fallback: d.significancePpm,
    }),
    marginBasisPoints: reader.number(`${field}.margin_basis_points`, message.marginBasisPoints ?? d.marginBasisPoints, {
      min: 0,
      max: 10_000,
      fallback: d.marginBasisPoints,
    }),
  };
  return message.off ? null : gate;
}
