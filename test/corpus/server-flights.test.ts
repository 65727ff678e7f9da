import { describe, expect, test } from "vitest";
import type { FlightFacts } from "../../dataplane/hello/flight-facts.ts";
import { ServerFlightReader } from "../../dataplane/hello/server-flight-reader.ts";
import { builtFlights, type ServerFlight } from "./server-flights.ts";

const noFacts: FlightFacts = {
  answer: "nothing",
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

describe.each([...builtFlights])("$title", (flight) => {
  const { bytes, settledAt } = flight;

  test("says what its maker put in", () => {
    const reader = new ServerFlightReader();
    expect(reader.add(bytes)).toBe(settledAt !== undefined);
    expect(reader.facts).toStrictEqual(expectedFacts(flight));
    if (reader.facts.settled) expect(reader.add(bytes)).toBe(false);
  });

  test("settles at its byte, once, and says the same byte by byte", () => {
    const reader = new ServerFlightReader();
    let settled: number | undefined;
    for (let at = 0; at < bytes.length; at += 1) {
      if (!reader.add(bytes.subarray(at, at + 1))) continue;
      expect(settled).toBeUndefined();
      settled = at + 1;
    }
    expect(settled).toBe(settledAt);
    expect(reader.facts).toStrictEqual(expectedFacts(flight));
  });

  test("says the same, cut in two anywhere", () => {
    const step = bytes.length > 4000 ? 97 : 1;
    const expected = JSON.stringify(expectedFacts(flight));
    for (let cut = 0; cut <= bytes.length; cut += step) {
      const reader = new ServerFlightReader();
      const first = reader.add(bytes.subarray(0, cut));
      const second = reader.add(bytes.subarray(cut));
      if (JSON.stringify(reader.facts) !== expected || (first && second) || (first || second) !== reader.facts.settled)
        throw new Error(`cut at ${cut}: ${JSON.stringify(reader.facts)}`);
    }
  });
});

test("what is kept is a copy", () => {
  for (const { bytes } of builtFlights) {
    const chunk = bytes.slice();
    const reader = new ServerFlightReader();
    reader.add(chunk);
    const before = JSON.stringify(reader.facts);
    chunk.fill(0xee);
    expect(JSON.stringify(reader.facts)).toBe(before);
  }
});

test("little is held while it is read, and nothing once it is settled", () => {
  for (const { bytes } of builtFlights) {
    const reader = new ServerFlightReader();
    for (let at = 0; at < bytes.length; at += 1) {
      reader.add(bytes.subarray(at, at + 1));
      expect(reader.bytesHeld).toBeLessThanOrEqual(reader.facts.settled ? 0 : 38);
    }
  }
});
