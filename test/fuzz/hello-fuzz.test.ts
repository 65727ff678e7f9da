import { expect, test } from "vitest";
import { ForgetfulReader } from "./forgetful-reader.ts";
import { fuzzHellos, makeHelloReader } from "./hello-fuzz.ts";

const seed = Number(process.env["SWITCHYARD_TEST_SEED"]);

test(`20,000 mutated hellos break no law (seed ${seed})`, () => {
  const { failure, outcomes } = fuzzHellos({ count: 20_000, seed, makeReader: makeHelloReader });
  expect(failure).toBeNull();
  // A fuzzer whose mutants all fail at the first byte would prove nothing.
  expect(outcomes.get("complete")).toBeGreaterThan(500);
  expect(outcomes.size).toBe(17);
});

test(`the fuzzer finds a reader that is broken (seed ${seed})`, () => {
  const makeReader = (limit: number) => new ForgetfulReader(limit);
  const { failure } = fuzzHellos({ count: 20_000, seed, makeReader });
  expect(failure?.message).toContain("in one piece");
  expect(failure?.bytesHex).toMatch(/^[0-9a-f]+$/);
});
