import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  a,
  b,
  farmWith,
  gave,
  id,
  nameA,
  nameB,
  namesOf,
  psk,
  table,
  taken,
  ticket,
  tls12,
  tls13,
} from "../../test/support/affinity-observations.ts";
import { affinityDefaults } from "../../model/farm-policy.ts";
import { runSeed } from "../../test/support/seeded-random.ts";
import type { FlightFacts } from "../hello/flight-facts.ts";
import { FarmAffinity } from "./farm-affinity.ts";
import type { OfferedSession } from "./offered-session.ts";

describe(`what clients send changes no table (seed ${runSeed()})`, () => {
  const names = [nameA, nameB, "an-older-key-of-"].map((name) => new TextEncoder().encode(name));
  const head = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 32 }),
    fc
      .record({ name: fc.constantFrom(...names), cut: fc.integer({ min: 4, max: 16 }), salt: fc.nat(50) })
      .map(({ name, cut, salt }) => ticket(name.subarray(0, cut), salt)),
  );
  const session: fc.Arbitrary<OfferedSession> = fc.oneof(
    fc.array(head, { minLength: 1, maxLength: 4 }).map((heads) => psk(...heads)),
    head.map((each) => ({ kind: "ticket" as const, head: each })),
    fc.record({
      kind: fc.constant("session_id" as const),
      id: fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 32 }), fc.nat(9).map(id)),
      certain: fc.boolean(),
    }),
  );
  /** No PSK selected, no ticket issued, no id given: or one that is the client's own. */
  const facts = fc.constantFrom<FlightFacts>(
    tls13,
    tls12,
    { ...tls12, settled: false },
    { ...tls12, abbreviated: true, sessionId: id(200) },
    { ...tls13, sessionId: id(201) },
    { ...tls13, answer: "hello_retry", version: 0, pskSelected: 0, settled: false },
    { ...tls13, answer: "alert", version: 0 },
    { ...tls13, answer: "other", version: 0, pskSelected: 0, ticketHead: ticket(nameA, 5), sessionId: id(202) },
  );

  it("nor who gets it, unless it resumes a session that a server still takes", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(session, facts, fc.constantFrom(a, b)), { minLength: 1, maxLength: 60 }),
        (offers) => {
          const farm = farmWith({ [nameA]: a, [nameB]: b });
          for (let n = 0; n < 10; n += 1) farm.observed(n % 2 === 0 ? a : b, null, gave(n), 5);
          const before = table(farm, 100);
          for (const [offered, fact, server] of offers) {
            farm.servers(offered, 10);
            const resumes = fact.abbreviated && offered.kind === "ticket";
            if (!resumes) expect(farm.observed(server, offered, fact, 10).learnt).toBeNull();
          }
          expect(table(farm, 100)).toBe(before);
        },
      ),
      { seed: runSeed(), numRuns: 200 },
    );
  });

  it("and a forged ticket beside a real session of TLS 1.2 makes no server a holder of the name", () => {
    const farm = farmWith({ [nameA]: a, [nameB]: b });
    for (let n = 0; n < 20; n += 1) {
      farm.observed(
        b,
        { kind: "ticket", head: ticket(nameA, 300 + n) },
        { ...tls12, abbreviated: true, sessionId: id(n) },
        10,
      );
    }
    expect(farm.servers(psk(ticket(nameA, 9)), 11)).toEqual([a]);
    expect(namesOf(farm, b, 11)).toEqual([nameB]);
    expect(farm.report(12).sessionIds).toBe(0);
  });

  it("and a forged PSK before a HelloRetryRequest, with a real one behind it, teaches nothing of the forged one", () => {
    const retried = (selected: number): FlightFacts => ({ ...taken(selected), retried: true });
    const farm = farmWith({ [nameA]: a, [nameB]: b });
    const before = table(farm, 100);
    for (let n = 0; n < 20; n += 1) {
      expect(farm.observed(b, psk(ticket(nameA, 500 + n)), retried(0), 10).learnt).toBeNull();
      expect(farm.observed(b, psk(ticket("made-up-by-client", 500 + n)), retried(0), 10).learnt).toBeNull();
    }
    expect(table(farm, 100)).toBe(before);
  });

  it("nor does one of several PSKs: the second hello may have lost those before the one that was taken", () => {
    const farm = new FarmAffinity(affinityDefaults);
    for (let n = 0; n < 20; n += 1)
      farm.observed(b, psk(ticket(nameA, n), ticket(nameB, n)), { ...taken(0), retried: true }, 10);
    expect(farm.servers(psk(ticket(nameA, 99)), 11)).toEqual([]);
  });

  it("but an only PSK that is taken after a HelloRetryRequest teaches, where no check shows the server's tickets", () => {
    const farm = new FarmAffinity(affinityDefaults);
    for (let n = 0; n < 3; n += 1) farm.observed(b, psk(ticket(nameB, n)), { ...taken(0), retried: true }, 10);
    expect(farm.servers(psk(ticket(nameB, 99)), 11)).toEqual([b]);
  });

  it("also where a server has replaced the key: only the replaced name may go, and comes back when it is good", () => {
    const farm = farmWith({ [nameA]: a });
    farm.probed(a, [[ticket(nameB, 1)], [ticket(nameB, 2)]], 10);
    for (let n = 0; n < 50; n += 1) farm.observed(a, psk(ticket(nameA, 400 + n), ticket(nameB, 400 + n)), tls13, 20);
    expect(namesOf(farm, a, 21)).toEqual([nameB]);
    farm.observed(a, psk(ticket(nameA, 3)), taken(0), 30);
    expect(farm.servers(psk(ticket(nameA, 9)), 31)).toEqual([a]);
  });
});
