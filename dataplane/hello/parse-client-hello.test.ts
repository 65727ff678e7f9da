import { expect, test } from "vitest";
import { describeOutcome } from "../../test/corpus/describe-outcome.ts";
import { acceptedHellos } from "../../test/corpus/accepted-hellos.ts";
import { handshake, records } from "../../test/corpus/hello-builder.ts";
import { mutated, SeededNumbers } from "../../test/corpus/hello-mutator.ts";
import { rejectedHellos } from "../../test/corpus/rejected-hellos.ts";
import type { SettledOutcome } from "./hello-outcome.ts";
import { readHello } from "./hello-reader.ts";
import { parseClientHello } from "./parse-client-hello.ts";
import { uint16 } from "./span.ts";

const seed = Number(process.env["SWITCHYARD_TEST_SEED"]);

/** Bodies of hellos that are one record: what is behind the record's and the message's headers. */
function bodiesOf(hellos: readonly { readonly bytes: Uint8Array }[]): Uint8Array[] {
  return hellos
    .map(({ bytes }) => bytes)
    .filter((bytes) => bytes[0] === 22 && bytes.length > 9 && uint16(bytes, 3) === bytes.length - 5)
    .map((bytes) => bytes.subarray(9));
}

/** The bytes, and an error for every read that is not inside `[start, end)`. */
function guarded(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return new Proxy(bytes, {
    get(target, key): unknown {
      const index = Number(key);
      if (!Number.isInteger(index)) throw new Error(`${String(key)} was read`);
      if (index < start || index >= end) throw new Error(`byte ${index} was read, outside of ${start} to ${end}`);
      return target[index];
    },
  });
}

test("a body parses as its records do", () => {
  const bodyDecides = rejectedHellos.filter(({ decidedAt }) => decidedAt === undefined);
  const bodies = bodiesOf([...acceptedHellos, ...bodyDecides]);
  expect(bodies.length).toBeGreaterThan(100);
  for (const body of bodies) {
    const parsed = parseClientHello(body, 0, body.length, 0x0301);
    expect(describeOutcome(parsed)).toStrictEqual(describeOutcome(readHello(records(handshake(body)), 65_536)));
  }
});

test(`no byte outside the body is read, also where its lengths lie (seed ${seed})`, () => {
  const numbers = new SeededNumbers(seed);
  const small = bodiesOf([...acceptedHellos, ...rejectedHellos]).filter(({ length }) => length < 1000);
  for (let round = 0; round < 3000; round += 1) {
    const original = small[round % small.length]!;
    const body = round < small.length ? original : mutated(original, numbers);
    const start = numbers.below(20);
    const bytes = new Uint8Array(start + body.length + 20).fill(numbers.below(256));
    bytes.set(body, start);
    const end = start + body.length;
    const outcome = parseClientHello(guarded(bytes, start, end), start, end, 0x0301);
    expect(gist(outcome)).toStrictEqual(gist(parseClientHello(body, 0, body.length, 0x0301)));
  }
});

test("every cut of a body is refused, save where an extensions block may be absent", () => {
  for (const body of bodiesOf(acceptedHellos).filter(({ length }) => length < 1000)) {
    const suitesAt = 35 + body[34]!;
    const compressionAt = suitesAt + 2 + uint16(body, suitesAt);
    const bare = compressionAt + 1 + body[compressionAt]!;
    for (let end = 0; end < body.length; end += 1) {
      const outcome = parseClientHello(body, 0, end, 0x0301).outcome;
      expect(outcome).toBe(end === bare ? "complete" : "rejected");
    }
  }
});

/** What can be told of an outcome without its views, which a guard does not give. */
function gist(outcome: SettledOutcome): unknown {
  return outcome.outcome === "complete" ? Array.from(outcome.hello.nameBytes) : outcome;
}
