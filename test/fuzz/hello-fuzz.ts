import type { HelloOutcome } from "../../dataplane/hello/hello-outcome.ts";
import { HelloReader } from "../../dataplane/hello/hello-reader.ts";
import { acceptedHellos } from "../corpus/accepted-hellos.ts";
import { describeOutcome } from "../corpus/describe-outcome.ts";
import { mutated, randomSplit, SeededNumbers, surrounded } from "../corpus/hello-mutator.ts";
import { rejectedHellos } from "../corpus/rejected-hellos.ts";
import { fuzzFailure, type FuzzFailure } from "./fuzz-failure.ts";

/** What is fuzzed: the reader, or a broken one that the fuzzer must find (`forgetful-reader.ts`). */
export interface FuzzedReader {
  readonly bytesHeld: number;
  push(chunk: Uint8Array): HelloOutcome;
}

export interface HelloFuzz {
  readonly count: number;
  readonly seed: number;
  readonly makeReader: (helloBytesMax: number) => FuzzedReader;
}

export interface HelloFuzzResult {
  /** How many mutants had which outcome; a rejection counts by its reason. */
  readonly outcomes: ReadonlyMap<string, number>;
  /** Null where every law held. */
  readonly failure: FuzzFailure | null;
}

const helloBytesMax = 4096;
/** Longer ones would take the run's time for no more paths through the reader. */
const originalBytesMax = 2100;
const normalisedName = /^[\x21-\x2d\x2f-\x40\x5b-\x7e]{1,63}(\.[\x21-\x2d\x2f-\x40\x5b-\x7e]{1,63})*$/;

/**
 * Reads `count` mutants of the corpus, each in one piece and in random pieces, until a law is broken: nothing throws; both
 * readings say the same; bytes around the chunks and behind a settled hello do not matter; a name is normalised; what is
 * held is less than twice what came.
 */
export function fuzzHellos({ count, seed, makeReader }: HelloFuzz): HelloFuzzResult {
  const numbers = new SeededNumbers(seed);
  const originals = [...acceptedHellos, ...rejectedHellos]
    .map(({ bytes }) => bytes)
    .filter(({ length }) => length <= originalBytesMax);
  const outcomes = new Map<string, number>();
  for (let index = 0; index < count; index += 1) {
    const bytes = mutated(originals[numbers.below(originals.length)] as Uint8Array, numbers);
    const chunks = randomSplit(bytes, numbers);
    try {
      const whole = makeReader(helloBytesMax).push(surrounded(bytes, numbers));
      const label = whole.outcome === "rejected" ? whole.reason : whole.outcome;
      outcomes.set(label, (outcomes.get(label) ?? 0) + 1);
      checkLaws(whole, chunks, makeReader(helloBytesMax));
    } catch (error) {
      const failure = fuzzFailure(index, error, bytes, chunks);
      return { outcomes, failure };
    }
  }
  return { outcomes, failure: null };
}

/** @throws where a law is broken */
function checkLaws(whole: HelloOutcome, chunks: readonly Uint8Array[], reader: FuzzedReader): void {
  let came = 0;
  let last = reader.push(new Uint8Array(0));
  for (const chunk of chunks) {
    const next = reader.push(chunk);
    if (last.outcome !== "incomplete" && next !== last) throw new Error("a settled outcome changed");
    last = next;
    came += chunk.length;
    if (reader.bytesHeld > Math.max(64, 2 * came)) throw new Error(`${reader.bytesHeld} bytes held of ${came}`);
  }
  if (whole.outcome === "incomplete" && last === whole) return;
  const said = JSON.stringify(describeOutcome(whole));
  const saidInPieces = JSON.stringify(describeOutcome(last));
  if (said !== saidInPieces) throw new Error(`in one piece ${said}, in pieces ${saidInPieces}`);

  if (whole.outcome !== "complete") return;
  const name = whole.hello.serverName();
  if (name !== null && !(normalisedName.test(name) && name.length <= 253)) throw new Error(`not normalised: ${name}`);
  const kept = JSON.stringify(describeOutcome({ outcome: "complete", hello: whole.hello.retained() }));
  if (kept !== said) throw new Error(`retained ${kept}, read ${said}`);
}

export function makeHelloReader(limit: number): FuzzedReader {
  return new HelloReader(limit);
}
