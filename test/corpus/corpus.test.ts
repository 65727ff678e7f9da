import { readdirSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { HelloOutcome } from "../../dataplane/hello/hello-outcome.ts";
import { HelloReader, readHello } from "../../dataplane/hello/hello-reader.ts";
import type { HelloRejection, ProxyHeaderFault } from "../../model/reason.ts";
import { acceptedHellos, capturedHellos, type HelloFacts } from "./accepted-hellos.ts";
import { describeOutcome } from "./describe-outcome.ts";
import { mutated, randomSplit, SeededNumbers, surrounded } from "./hello-mutator.ts";
import { packageRoot } from "./package-root.ts";
import { rejectedHellos } from "./rejected-hellos.ts";

const helloBytesMax = 16_384;
const seed = Number(process.env["SWITCHYARD_TEST_SEED"]);

/** The closed set, but for what stands in front of a hello; the type makes sure that none is left out. */
const everyReason: Record<Exclude<HelloRejection, ProxyHeaderFault>, true> = {
  not_tls: true,
  sslv2_hello: true,
  hello_not_first: true,
  hello_record: true,
  hello_too_big: true,
  hello_malformed: true,
  hello_session_id: true,
  hello_duplicate_extension: true,
  hello_psk_not_last: true,
  name_two: true,
  name_type: true,
  name_empty: true,
  name_too_long: true,
  name_character: true,
  name_label_length: true,
};

function expectedOutcome(facts: HelloFacts): Record<string, unknown> {
  const legacyVersion = facts.legacyVersion ?? 0x0303;
  return {
    outcome: "complete",
    name: facts.name,
    alpn: facts.alpn ?? [],
    recordVersion: facts.recordVersion ?? 0x0301,
    legacyVersion,
    alertRecordVersion: Math.max(0x0301, Math.min(legacyVersion, 0x0303)),
    supportedVersions: facts.versions ?? [],
    sessionIdBytes: facts.sessionIdBytes ?? 0,
    ticketBytes: facts.ticketBytes ?? null,
    pskIdentityBytes: facts.pskIdentityBytes ?? [],
    encryptedClientHello: facts.encryptedClientHello ?? false,
    earlyData: facts.earlyData ?? false,
  };
}

function factsOf(outcome: HelloOutcome): Record<string, unknown> {
  if (outcome.outcome !== "complete") return { ...outcome };
  const { nameHex, sessionId, sessionTicket, pskIdentities, ...rest } = describeOutcome(outcome) as {
    readonly [key: string]: unknown;
    readonly sessionId: string;
    readonly sessionTicket: string | null;
    readonly pskIdentities: readonly string[];
  };
  expect(nameHex).toBe(Buffer.from((rest["name"] as string | null) ?? "").toString("hex"));
  return {
    ...rest,
    sessionIdBytes: sessionId.length / 2,
    ticketBytes: sessionTicket === null ? null : sessionTicket.length / 2,
    pskIdentityBytes: pskIdentities.map((identity) => identity.length / 2),
  };
}

/** Feeds `bytes` by every prefix and the rest, and byte by byte; every prefix before `end` says nothing yet. */
function expectTheSameHoweverCut(bytes: Uint8Array, end: number): void {
  const whole = JSON.stringify(describeOutcome(readHello(bytes, helloBytesMax)));
  const crumbs = new HelloReader(helloBytesMax);
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    const reader = new HelloReader(helloBytesMax);
    const prefix = reader.push(bytes.subarray(0, cut));
    if ((prefix.outcome === "incomplete") !== cut < end)
      throw new Error(`${prefix.outcome} after ${cut} of ${end} bytes`);
    const outcome = JSON.stringify(describeOutcome(reader.push(bytes.subarray(cut))));
    if (outcome !== whole) throw new Error(`cut at ${cut}: ${outcome}, in one piece ${whole}`);

    const crumb = crumbs.push(bytes.subarray(cut, cut + 1));
    if ((crumb.outcome === "incomplete") !== cut + 1 < end)
      throw new Error(`${crumb.outcome} at byte ${cut} of ${end}`);
  }
  expect(JSON.stringify(describeOutcome(crumbs.push(new Uint8Array(0))))).toBe(whole);
}

describe("a hello that is understood", () => {
  test.each(acceptedHellos)("$title: says what its maker put in", ({ bytes, facts }) => {
    expect(factsOf(readHello(bytes, helloBytesMax))).toStrictEqual(expectedOutcome(facts));
  });

  test.each(acceptedHellos)("$title: says so at its last byte, and the same however it is cut", ({ bytes, end }) => {
    expectTheSameHoweverCut(bytes, end ?? bytes.length);
  });

  test("every captured file is in the corpus, and the other way round", () => {
    const files = readdirSync(join(packageRoot(), "test/corpus/captured")).map((file) => file.replace(/\.hex$/, ""));
    expect(files.toSorted()).toStrictEqual(capturedHellos.map(({ title }) => title).toSorted());
  });
});

describe("a hello that is refused", () => {
  test.each(rejectedHellos)("$title: $reason", ({ bytes, reason, recordVersion = 0x0303 }) => {
    expect(readHello(bytes, helloBytesMax)).toStrictEqual({ outcome: "rejected", reason, recordVersion });
  });

  test.each(rejectedHellos)("$title: as early as the bytes say so, and the same however it is cut", (hello) => {
    expectTheSameHoweverCut(hello.bytes, hello.decidedAt ?? hello.bytes.length);
  });

  test("every reason of the closed set is in the table", () => {
    expect(new Set(rejectedHellos.map(({ reason }) => reason))).toStrictEqual(new Set(Object.keys(everyReason)));
  });
});

describe("a hello that was tampered with", () => {
  const originals = [...acceptedHellos, ...rejectedHellos]
    .map(({ bytes }) => bytes)
    .filter(({ length }) => length < 3000);
  const cases = fc.tuple(fc.nat(originals.length - 1), fc.integer());

  test(`gives one answer in one piece and in any pieces (seed ${seed})`, () => {
    const law = fc.property(cases, ([index, caseSeed]) => {
      const numbers = new SeededNumbers(caseSeed);
      const bytes = mutated(originals[index]!, numbers);
      const whole = describeOutcome(readHello(surrounded(bytes, numbers), helloBytesMax));
      const reader = new HelloReader(helloBytesMax);
      let last = reader.push(new Uint8Array(0));
      for (const chunk of randomSplit(bytes, numbers)) last = reader.push(chunk);
      expect(describeOutcome(last)).toStrictEqual(whole);
    });
    fc.assert(law, { seed, numRuns: 3000 });
  });

  test(`a settled answer stays, whatever comes behind it (seed ${seed})`, () => {
    const law = fc.property(cases, fc.uint8Array({ maxLength: 40 }), ([index, caseSeed], more) => {
      const bytes = mutated(originals[index]!, new SeededNumbers(caseSeed));
      const reader = new HelloReader(helloBytesMax);
      const outcome = reader.push(bytes);
      fc.pre(outcome.outcome !== "incomplete");
      expect(reader.push(more)).toBe(outcome);
      expect(describeOutcome(readHello(Buffer.concat([bytes, more]), helloBytesMax))).toStrictEqual(
        describeOutcome(outcome),
      );
    });
    fc.assert(law, { seed, numRuns: 1000 });
  });
});
