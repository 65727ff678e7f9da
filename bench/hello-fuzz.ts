/**
 * Fuzzes the ClientHello reader: `node dist/bench/hello-fuzz.js [--count N] [--seed N] [--canary]`. Exits with 1, and the
 * bytes in hex, when a law is broken. With `--canary` a broken reader takes the reader's place, and it must end so.
 */
import { parseArgs } from "node:util";
import { ForgetfulReader } from "../test/fuzz/forgetful-reader.ts";
import { fuzzHellos, makeHelloReader } from "../test/fuzz/hello-fuzz.ts";

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "1000000" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
    canary: { type: "boolean", default: false },
  },
});

function wholeNumber(option: string, text: string): number {
  if (!/^\d+$/.test(text)) throw new Error(`--${option} is not a whole number: ${text}`);
  return Number(text);
}

const count = wholeNumber("count", values.count);
const seed = wholeNumber("seed", values.seed);
console.log(`fuzzing ${count} hellos, --seed ${seed}${values.canary ? ", with a broken reader" : ""}`);

const startedAt = performance.now();
const makeReader = values.canary ? (limit: number) => new ForgetfulReader(limit) : makeHelloReader;
const { outcomes, failure } = fuzzHellos({ count, seed, makeReader });

for (const [outcome, times] of [...outcomes].sort(([, a], [, b]) => b - a)) console.log(`${outcome} ${times}`);
if (failure === null) {
  console.log(`every law held, ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
} else {
  console.error(`hello ${failure.index} broke a law: ${failure.message}`);
  console.error(`bytes ${failure.bytesHex}`);
  console.error(`chunks ${failure.chunkLengths.join(" ")}`);
  process.exitCode = 1;
}
