import { expect, test } from "vitest";
import { ServerFlightReader } from "../../dataplane/hello/server-flight-reader.ts";
import { type FuzzedFlightReader, fuzzFlights } from "./flight-fuzz.ts";

const seed = Number(process.env["SWITCHYARD_TEST_SEED"]);

test(`20,000 mutated flights break no law (seed ${seed})`, () => {
  const { failure, answers } = fuzzFlights({ count: 20_000, seed, makeReader: () => new ServerFlightReader() });
  expect(failure).toBeNull();
  // A fuzzer whose mutants all fail at the first byte would prove nothing.
  expect(answers.get("server_hello settled")).toBeGreaterThan(500);
  expect([...answers.keys()].toSorted()).toStrictEqual(
    expect.arrayContaining(["alert settled", "hello_retry", "other settled", "server_hello", "server_hello settled"]),
  );
});

/** The canary: it takes the end of a chunk for the end of a record, as readers do that look at one packet. */
class PacketReader implements FuzzedFlightReader {
  #inner = new ServerFlightReader();
  #came = 0;

  get facts() {
    return this.#inner.facts;
  }

  get bytesHeld(): number {
    return this.#inner.bytesHeld;
  }

  add(bytes: Uint8Array): boolean {
    this.#came += bytes.length;
    if (this.#came > bytes.length && this.#came < 100) this.#inner = new ServerFlightReader();
    return this.#inner.add(bytes);
  }
}

test(`the fuzzer finds a reader that is broken (seed ${seed})`, () => {
  const { failure } = fuzzFlights({ count: 20_000, seed, makeReader: () => new PacketReader() });
  expect(failure?.message).toMatch(/in one piece|settled/);
  expect(failure?.bytesHex).toMatch(/^[0-9a-f]*$/);
});
