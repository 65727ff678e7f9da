import type { FlightFacts } from "../../dataplane/hello/flight-facts.ts";
import { capturedFlights } from "../corpus/captured-flights.ts";
import { mutated, randomSplit, SeededNumbers, surrounded } from "../corpus/hello-mutator.ts";
import { builtFlights } from "../corpus/server-flights.ts";
import { fuzzFailure, type FuzzFailure } from "./fuzz-failure.ts";

/** What is fuzzed: the reader of servers' flights, or a broken one. */
export interface FuzzedFlightReader {
  readonly facts: FlightFacts;
  readonly bytesHeld: number;
  add(bytes: Uint8Array): boolean;
}

export interface FlightFuzz {
  readonly count: number;
  readonly seed: number;
  readonly makeReader: () => FuzzedFlightReader;
}

export interface FlightFuzzResult {
  /** How many mutants had which answer; ` settled` behind those that settled. */
  readonly answers: ReadonlyMap<string, number>;
  /** Null where every law held. */
  readonly failure: FuzzFailure | null;
}

/** Longer ones would take the run's time for no more paths through the reader. */
const originalBytesMax = 2500;
/** A session id, or a ticket's head with what stands before it. */
const bytesHeldMax = 38;

/**
 * Reads `count` mutants of the corpus' flights, each in one piece and in random pieces, until a law is broken: nothing
 * throws; both readings say the same; it settles once, and then stays; little is held, and nothing once it is settled.
 */
export function fuzzFlights({ count, seed, makeReader }: FlightFuzz): FlightFuzzResult {
  const numbers = new SeededNumbers(seed);
  const originals = [...builtFlights, ...capturedFlights]
    .map(({ bytes }) => bytes)
    .filter(({ length }) => length <= originalBytesMax);
  const answers = new Map<string, number>();
  for (let index = 0; index < count; index += 1) {
    const bytes = mutated(originals[numbers.below(originals.length)] as Uint8Array, numbers);
    const chunks = randomSplit(bytes, numbers);
    try {
      const whole = makeReader();
      const settled = whole.add(surrounded(bytes, numbers));
      if (settled !== whole.facts.settled) throw new Error(`add said ${settled}, the facts ${whole.facts.settled}`);
      const label = `${whole.facts.answer}${settled ? " settled" : ""}`;
      answers.set(label, (answers.get(label) ?? 0) + 1);
      checkLaws(whole.facts, chunks, makeReader());
    } catch (error) {
      const failure = fuzzFailure(index, error, bytes, chunks);
      return { answers, failure };
    }
  }
  return { answers, failure: null };
}

/** @throws where a law is broken */
function checkLaws(whole: FlightFacts, chunks: readonly Uint8Array[], reader: FuzzedFlightReader): void {
  let settlements = 0;
  let atSettlement = "";
  for (const chunk of [new Uint8Array(0), ...chunks]) {
    if (reader.add(chunk)) {
      settlements += 1;
      atSettlement = JSON.stringify(reader.facts);
    }
    const limit = reader.facts.settled ? 0 : bytesHeldMax;
    if (reader.bytesHeld > limit) throw new Error(`${reader.bytesHeld} bytes held, settled: ${reader.facts.settled}`);
  }
  const said = JSON.stringify(whole);
  const saidInPieces = JSON.stringify(reader.facts);
  if (said !== saidInPieces) throw new Error(`in one piece ${said}, in pieces ${saidInPieces}`);
  if (settlements !== (whole.settled ? 1 : 0)) throw new Error(`settled ${settlements} times`);
  if (settlements === 1 && atSettlement !== said) throw new Error(`settled as ${atSettlement}, then ${said}`);
}
