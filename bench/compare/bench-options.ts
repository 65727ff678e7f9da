import { parseArgs } from "node:util";
import { fullSizes, type MeasureName, quickSizes, type Sizes } from "./measure.ts";

/** What the command line asks for. */
export interface BenchOptions {
  readonly mode: "quick" | "full";
  readonly sizes: Sizes;
  readonly measures: readonly (MeasureName | "counts")[];
  /** Names of targets; all where undefined. */
  readonly targets: readonly string[] | undefined;
  readonly outputDirectory: string | undefined;
  /** Only the usage is asked for. */
  readonly help: boolean;
}

export const allMeasures: readonly (MeasureName | "counts")[] = [
  "rate",
  "bulk",
  "rtt",
  "idle",
  "half-hello",
  "tls",
  "scaling",
  "million",
  "commit",
  "counts",
];

const roundsMax = 100;

export const usage = `usage: npm run bench -- [--quick] [--rounds n] [--measures a,b] [--targets a,b] [--out directory]
  --quick     short rounds, about two minutes in all, the portable engine only where the native one is missing;
              without it, about twenty minutes
  --rounds    rounds of each measure, 1 to ${roundsMax} (5 quick, 9 full)
  --measures  of ${allMeasures.join(", ")}
  --targets   of switchyard, switchyard-portable, haproxy, haproxy-tuned, nginx, direct
  --out       where the results go (bench/results)`;

/** Throws an Error with a message for the user where the command line is wrong. */
export function parseBenchOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: "boolean", default: false },
      quick: { type: "boolean", default: false },
      rounds: { type: "string" },
      measures: { type: "string" },
      targets: { type: "string" },
      out: { type: "string" },
    },
  });
  const base = values.quick ? quickSizes : fullSizes;
  return {
    mode: values.quick ? "quick" : "full",
    sizes: values.rounds === undefined ? base : { ...base, rounds: parseRounds(values.rounds) },
    measures: values.measures === undefined ? allMeasures : parseMeasures(values.measures),
    targets: values.targets?.split(","),
    outputDirectory: values.out,
    help: values.help,
  };
}

function parseRounds(text: string): number {
  const rounds = Number(text);
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > roundsMax) {
    throw new Error(`--rounds: ${text} is not a number from 1 to ${roundsMax}`);
  }
  return rounds;
}

function parseMeasures(text: string): BenchOptions["measures"] {
  return text.split(",").map((name) => {
    const known = allMeasures.find((measure) => measure === name);
    if (known === undefined) throw new Error(`--measures: there is no ${name}; of ${allMeasures.join(", ")}`);
    return known;
  });
}
