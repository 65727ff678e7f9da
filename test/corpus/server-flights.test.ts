import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { FlightFacts } from "../../dataplane/hello/flight-facts.ts";
import { ServerFlightReader } from "../../dataplane/hello/server-flight-reader.ts";
import { type CapturedFlight, capturedFlights } from "./captured-flights.ts";
import { packageRoot } from "./package-root.ts";
import { builtFlights, type ServerFlight } from "./server-flights.ts";

const noFacts: FlightFacts = {
  answer: "nothing",
  retried: false,
  version: 0,
  sessionId: new Uint8Array(0),
  pskSelected: -1,
  abbreviated: false,
  ticketHead: null,
  settled: false,
};

function expectedFacts({ facts, settledAt }: ServerFlight): FlightFacts {
  return { ...noFacts, ...facts, settled: settledAt !== undefined };
}

/** Reads `bytes` in two pieces for every cut between them; where they are many, for some. */
function expectTheSameHoweverCut(bytes: Uint8Array, expected: FlightFacts): void {
  const step = bytes.length > 4000 ? 97 : 1;
  const text = JSON.stringify(expected);
  for (let cut = 0; cut <= bytes.length; cut += step) {
    const reader = new ServerFlightReader();
    const first = reader.add(bytes.subarray(0, cut));
    const second = reader.add(bytes.subarray(cut));
    if (JSON.stringify(reader.facts) !== text || (first && second) || (first || second) !== expected.settled)
      throw new Error(`cut at ${cut}: ${JSON.stringify(reader.facts)}`);
  }
}

/** The byte at which the reader says that the facts are settled, fed byte by byte; undefined where it never does. */
function settlesAt(bytes: Uint8Array, reader: ServerFlightReader): number | undefined {
  let settled: number | undefined;
  for (let at = 0; at < bytes.length; at += 1) {
    if (!reader.add(bytes.subarray(at, at + 1))) continue;
    expect(settled).toBeUndefined();
    settled = at + 1;
  }
  return settled;
}

describe.each(builtFlights)("$title", (flight) => {
  const { bytes, settledAt } = flight;

  test("says what its maker put in", () => {
    const reader = new ServerFlightReader();
    expect(reader.add(bytes)).toBe(settledAt !== undefined);
    expect(reader.facts).toStrictEqual(expectedFacts(flight));
    if (reader.facts.settled) expect(reader.add(bytes)).toBe(false);
  });

  test("settles at its byte, once, and says the same byte by byte", () => {
    const reader = new ServerFlightReader();
    expect(settlesAt(bytes, reader)).toBe(settledAt);
    expect(reader.facts).toStrictEqual(expectedFacts(flight));
  });

  test("says the same, cut in two anywhere", () => {
    expectTheSameHoweverCut(bytes, expectedFacts(flight));
  });
});

function hexOf(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString("hex");
}

/** What the client said of the session, in the reader's words. */
function saidFacts({ file, version, resumed, ticket, ticketSaid }: CapturedFlight): Partial<Record<string, unknown>> {
  const tls13 = version > 0x0303;
  return {
    answer: "server_hello",
    retried: file.includes("-retry"),
    version,
    pskSelected: tls13 && resumed ? 0 : -1,
    abbreviated: !tls13 && resumed,
    ticketHead: ticket ? ticketSaid : null,
    settled: true,
  };
}

describe.each(capturedFlights)("$file", (flight) => {
  const { bytes } = flight;

  test("says what the client said", () => {
    const reader = new ServerFlightReader();
    expect(reader.add(bytes)).toBe(true);
    const { sessionId, ...facts } = reader.facts;
    expect({ ...facts, ticketHead: hexOf(facts.ticketHead) }).toStrictEqual(saidFacts(flight));
    expect(sessionId.length).toBe(flight.sessionId === "none" ? 0 : 32);
    if (flight.sessionId === "said") expect(hexOf(sessionId)).toBe(flight.sessionIdSaid);
  });

  test("says the same, cut in two anywhere, and byte by byte", () => {
    const whole = new ServerFlightReader();
    whole.add(bytes);
    const crumbs = new ServerFlightReader();
    expect(settlesAt(bytes, crumbs)).toBeLessThanOrEqual(bytes.length);
    expect(crumbs.facts).toStrictEqual(whole.facts);
    expectTheSameHoweverCut(bytes, whole.facts);
  });
});

test("a server that refuses the client's hello says so by an alert", () => {
  const text = readFileSync(join(packageRoot(), "test/corpus/captured-flights/openssl-alert.hex"), "utf8");
  const reader = new ServerFlightReader();
  expect(reader.add(Buffer.from(text.split("\n").at(-2) as string, "hex"))).toBe(true);
  expect(reader.facts).toStrictEqual({ ...noFacts, answer: "alert", settled: true });
});

test("every captured file is in the table, and the other way round", () => {
  const files = readdirSync(join(packageRoot(), "test/corpus/captured-flights")).map((file) => file.slice(0, -4));
  const known = [...capturedFlights.map(({ file }) => file), "openssl-alert"];
  expect(files.toSorted()).toStrictEqual(known.toSorted());
});

test("what is kept is a copy", () => {
  for (const { bytes } of [...builtFlights, ...capturedFlights]) {
    const chunk = bytes.slice();
    const reader = new ServerFlightReader();
    reader.add(chunk);
    const before = JSON.stringify(reader.facts);
    chunk.fill(0xee);
    expect(JSON.stringify(reader.facts)).toBe(before);
  }
});

test("little is held while it is read, and nothing once it is settled", () => {
  for (const { bytes } of [...builtFlights, ...capturedFlights]) {
    const reader = new ServerFlightReader();
    for (let at = 0; at < bytes.length; at += 1) {
      reader.add(bytes.subarray(at, at + 1));
      expect(reader.bytesHeld).toBeLessThanOrEqual(reader.facts.settled ? 0 : 38);
    }
  }
});
