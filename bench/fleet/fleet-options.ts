import { parseArgs } from "node:util";
import { type FleetMeasureName, type FleetSizes, fullSizes, quickSizes } from "./fleet-measure.ts";

/** What the command line asks for. */
export interface FleetOptions {
  readonly mode: "quick" | "full";
  readonly sizes: FleetSizes;
  readonly measures: readonly FleetMeasureName[];
  readonly outputDirectory: string | undefined;
  /** Only the usage is asked for. */
  readonly help: boolean;
}

/** Whoever has the machine for a moment sees those first that most of the goals are about. */
export const allFleetMeasures: readonly FleetMeasureName[] = [
  "fanout",
  "regions",
  "restart",
  "writers",
  "start",
  "sessions",
  "simulation",
];

const seedMax = 2 ** 31;
const roundsMax = 20;

export const fleetUsage = `usage: npm run bench:fleet -- [--quick] [--rounds n] [--measures a,b] [--seed n] [--out directory]
  --quick     one short round of each measure, about two minutes in all; without it, under ten minutes
  --rounds    rounds of each measure, 1 to ${roundsMax}
  --measures  of ${allFleetMeasures.join(", ")}
  --seed      of the simulated fleet; a new one each time otherwise
  --out       where the results go (bench/results)`;

/** Throws an Error with a message for the user where the command line is wrong. `newSeed` is below 2^31. */
export function parseFleetOptions(args: readonly string[], newSeed: number): FleetOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: "boolean", default: false },
      quick: { type: "boolean", default: false },
      rounds: { type: "string" },
      measures: { type: "string" },
      seed: { type: "string" },
      out: { type: "string" },
    },
  });
  const seed = values.seed === undefined ? newSeed : wholeNumber("--seed", values.seed, 0, seedMax);
  const sizes = values.quick ? quickSizes(seed) : fullSizes(seed);
  const rounds = values.rounds === undefined ? undefined : wholeNumber("--rounds", values.rounds, 1, roundsMax);
  return {
    mode: values.quick ? "quick" : "full",
    sizes: rounds === undefined ? sizes : { ...sizes, rounds: sameRounds(rounds) },
    measures: values.measures === undefined ? allFleetMeasures : parseMeasures(values.measures),
    outputDirectory: values.out,
    help: values.help,
  };
}

function wholeNumber(option: string, text: string, least: number, most: number): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= least && number <= most) return number;
  throw new Error(`${option}: ${text} is not a number from ${least} to ${most}`);
}

function sameRounds(rounds: number): FleetSizes["rounds"] {
  return Object.fromEntries(allFleetMeasures.map((name) => [name, rounds])) as FleetSizes["rounds"];
}

function parseMeasures(text: string): readonly FleetMeasureName[] {
  return text.split(",").map((name) => {
    const known = allFleetMeasures.find((measure) => measure === name);
    if (known === undefined) throw new Error(`--measures: there is no ${name}; of ${allFleetMeasures.join(", ")}`);
    return known;
  });
}
