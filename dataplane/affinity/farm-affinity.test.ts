import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { affinityDefaults } from "../../model/farm-policy.ts";
import type { Learnt } from "../../model/learnt.ts";
import type { ServerResourceName } from "../../model/resource-name.ts";
import { runSeed } from "../../test/support/seeded-random.ts";
import type { FlightFacts } from "../hello/flight-facts.ts";
import { FarmAffinity } from "./farm-affinity.ts";
import type { OfferedSession } from "./offered-session.ts";

const a: ServerResourceName = "farms/f/servers/a";
const b: ServerResourceName = "farms/f/servers/b";
const nameA = "name-of-server-a";
const nameB = "this-is-not-as-a";
const minuteMs = 60_000;

/** The first 32 bytes of a ticket whose key has that name, other ones for each number. */
function ticket(name: string | Uint8Array, number: number): Uint8Array {
  const head = new Uint8Array(32).map((_, at) => (Math.imul(number * 31 + at + 1, 0x9e3779b1) >>> 15) & 0xff);
  head.set(typeof name === "string" ? new TextEncoder().encode(name) : name);
  return head;
}

const psk = (...heads: readonly Uint8Array[]): OfferedSession => ({ kind: "psk", heads });
const id = (number: number): Uint8Array => new Uint8Array(32).fill(number);
const offeredId = (number: number, certain = true): OfferedSession => ({ kind: "session_id", id: id(number), certain });

const tls13: FlightFacts = {
  answer: "server_hello",
  version: 0x0304,
  sessionId: new Uint8Array(0),
  pskSelected: -1,
  abbreviated: false,
  ticketHead: null,
  settled: true,
};
const tls12: FlightFacts = { ...tls13, version: 0x0303 };
const taken = (pskSelected: number): FlightFacts => ({ ...tls13, pskSelected });
const issued = (head: Uint8Array): FlightFacts => ({ ...tls12, ticketHead: head });
const gave = (number: number): FlightFacts => ({ ...tls12, sessionId: id(number) });

function farmWith(names: Readonly<Record<string, ServerResourceName>>): FarmAffinity {
  const farm = new FarmAffinity(affinityDefaults);
  for (const [name, server] of Object.entries(names))
    farm.probed(
      server,
      [1, 2, 3].map((n) => [ticket(name, n)]),
      0,
    );
  return farm;
}

/** All that is known, as text. */
function table(farm: FarmAffinity, nowMs: number): string {
  return JSON.stringify([...farm.known(nowMs, 1000)], (_, value: unknown) =>
    value instanceof Uint8Array ? [...value].join(" ") : value,
  );
}

function namesOf(farm: FarmAffinity, server: ServerResourceName, nowMs: number): readonly string[] {
  const names = [...farm.known(nowMs, 1000)].flatMap(({ ticketNames }) => ticketNames);
  return names.filter((each) => each.server === server).map(({ name }) => new TextDecoder("latin1").decode(name));
}

describe("the length of a name is what its tickets have in common", () => {
  const key16 = nameA;
  it.each([
    { name: "JDK1", length: 4 },
    { name: key16, length: 16 },
    { name: `\u0001${key16}`, length: 17 },
  ])("of $length bytes", ({ name, length }) => {
    const farm = farmWith({ [name]: a });
    expect(namesOf(farm, a, 1)).toEqual([name]);
    expect(name).toHaveLength(length);
    expect(farm.servers(psk(ticket(name, 99)), 1)).toEqual([a]);
    expect(farm.servers(psk(ticket(`${name.slice(0, -1)}?`, 99)), 1)).toEqual([]);
  });

  it("and is corrected, where bytes behind the name were the same by chance", () => {
    const farm = new FarmAffinity(affinityDefaults);
    farm.probed(a, [[ticket(`${nameA}x`, 1)], [ticket(`${nameA}x`, 2)]], 0);
    expect(namesOf(farm, a, 1)).toEqual([`${nameA}x`]);
    const learnt = farm.probed(a, [[ticket(`${nameA}y`, 3)]], 1);
    expect(namesOf(farm, a, 1)).toEqual([nameA]);
    expect(learnt?.ticketNames.map(({ name, dropped }) => [name.length, dropped])).toEqual([
      [17, true],
      [16, false],
    ]);
  });

  it("and stays, where a later key has a similar name", () => {
    const farm = new FarmAffinity(affinityDefaults);
    farm.probed(
      a,
      [1, 2, 3, 4].map((n) => [ticket("keys-of-2026-001", n)]),
      0,
    );
    farm.probed(
      a,
      [5, 6].map((n) => [ticket("keys-of-2026-002", n)]),
      1,
    );
    expect(new Set(namesOf(farm, a, 1))).toEqual(new Set(["keys-of-2026-001", "keys-of-2026-002"]));
  });

  it("and is not told by one ticket that comes again and again", () => {
    const farm = new FarmAffinity(affinityDefaults);
    for (let visit = 0; visit < 9; visit += 1) farm.observed(a, psk(ticket(nameA, 1)), taken(0), visit);
    expect(table(farm, 9)).toBe("[]");
    expect(farm.report(9).finding).toBe("learning");
  });

  it("nor by tickets with 3 bytes in common", () => {
    const farm = farmWith({ abc: a });
    expect(table(farm, 1)).toBe("[]");
    expect(farm.report(1).finding).toBe("no_key_name");
  });
});

describe("a key's name is learnt", () => {
  it("from the PSK that the server took, and not from the others beside it", () => {
    const farm = new FarmAffinity(affinityDefaults);
    for (const n of [1, 2]) farm.observed(a, psk(ticket(nameB, n), ticket(nameA, n)), taken(1), n);
    expect(namesOf(farm, a, 3)).toEqual([nameA]);
  });

  it("from a ticket that is issued in clear", () => {
    const farm = new FarmAffinity(affinityDefaults);
    for (const n of [1, 2]) farm.observed(a, null, issued(ticket(nameA, n)), n);
    expect(farm.servers({ kind: "ticket", head: ticket(nameA, 3) }, 3)).toEqual([a]);
  });

  it("by its first ticket, once the length is known, and is told to the others at once", () => {
    const farm = farmWith({ [nameA]: a });
    const learnt = farm.observed(a, psk(ticket(nameB, 9)), taken(0), 5).learnt;
    expect(learnt).toEqual({
      ticketNames: [{ server: a, name: ticket(nameB, 9).slice(0, 16), ageMs: 0, dropped: false }],
      sessionIds: [],
    });
    expect(farm.servers(psk(ticket(nameB, 10)), 6)).toEqual([a]);
  });

  it("for each server that has it", () => {
    const farm = farmWith({ [nameA]: a });
    farm.probed(b, [[ticket(nameA, 9)]], 1);
    expect(farm.servers(psk(ticket(nameA, 10)), 2)).toEqual([a, b]);
  });

  it("from no external PSK alone, as that has one identity; several with a common beginning lead where they were taken", () => {
    const farm = new FarmAffinity(affinityDefaults);
    const device = (n: number): Uint8Array => new TextEncoder().encode(`device-${n}`);
    for (let visit = 0; visit < 9; visit += 1) farm.observed(a, psk(device(1)), taken(0), visit);
    expect(farm.servers(psk(device(1)), 10)).toEqual([]);
    farm.observed(a, psk(device(2)), taken(0), 10);
    expect(farm.servers(psk(device(3)), 11)).toEqual([a]);
  });
});

describe("the name that decides", () => {
  it("is that of the first identity that has a known one", () => {
    const farm = farmWith({ [nameA]: a, [nameB]: b });
    expect(farm.servers(psk(new Uint8Array(0), ticket("unknown", 1), ticket(nameB, 8), ticket(nameA, 8)), 1)).toEqual([
      b,
    ]);
  });

  it("is forgotten with its server", () => {
    const farm = farmWith({ [nameA]: a, [nameB]: b });
    farm.forget(a);
    expect(farm.servers(psk(ticket(nameA, 8)), 1)).toEqual([]);
    expect(farm.servers(psk(ticket(nameB, 8)), 1)).toEqual([b]);
  });

  it("is forgotten its lifetime after it was last good, also where that was made shorter", () => {
    const farm = farmWith({ [nameA]: a });
    farm.observed(a, psk(ticket(nameA, 8)), taken(0), 1000);
    const lifeMs = affinityDefaults.ticketNameLifetimeMs;
    expect(farm.servers(psk(ticket(nameA, 9)), 999 + lifeMs)).toEqual([a]);
    expect(farm.servers(psk(ticket(nameA, 9)), 1000 + lifeMs)).toEqual([]);
    farm.setPolicy({ ...affinityDefaults, ticketNameLifetimeMs: minuteMs });
    expect(farm.servers(psk(ticket(nameA, 9)), 999 + minuteMs)).toEqual([a]);
    expect(farm.servers(psk(ticket(nameA, 9)), 1000 + minuteMs)).toEqual([]);
    expect(farm.report(1000 + minuteMs).ticketNames).toBe(0);
  });

  it("is one of at most 16 of a server: the one that was good longest ago goes", () => {
    const farm = farmWith({ [nameA]: a });
    for (let key = 1; key <= 40; key += 1) {
      const name = `key-${key}-of-server`.slice(0, 16).padEnd(16, "-");
      farm.probed(a, [[ticket(name, 2 * key)], [ticket(name, 2 * key + 1)]], key);
    }
    expect(namesOf(farm, a, 50)).toHaveLength(16);
    expect(farm.servers(psk(ticket(nameA, 9)), 50)).toEqual([]);
  });
});

describe("refusals", () => {
  const refuse = (farm: FarmAffinity, times: number, nowMs: number): readonly (Learnt | null)[] =>
    Array.from({ length: times }, (_, n) => farm.observed(a, psk(ticket(nameA, 100 + n)), tls13, nowMs).learnt);

  it("end no name that the server has not replaced", () => {
    const farm = farmWith({ [nameA]: a });
    expect(refuse(farm, 50, 10)).toEqual(Array.from({ length: 50 }, () => null));
    expect(farm.servers(psk(ticket(nameA, 9)), 11)).toEqual([a]);
  });

  it("end a name that the server has replaced, three in a row, and the others are told", () => {
    const farm = farmWith({ [nameA]: a });
    farm.probed(a, [[ticket(nameB, 9)]], 10);
    const [, second, third] = refuse(farm, 3, 12);
    expect(second).toBeNull();
    expect(third?.ticketNames).toEqual([{ server: a, name: ticket(nameA, 0).slice(0, 16), ageMs: 12, dropped: true }]);
    expect(farm.servers(psk(ticket(nameA, 9)), 13)).toEqual([]);
    expect(farm.servers(psk(ticket(nameB, 10)), 13)).toEqual([a]);
  });

  it("end nothing where the server still takes the older key between them", () => {
    const farm = farmWith({ [nameA]: a });
    farm.probed(a, [[ticket(nameB, 9)]], 10);
    refuse(farm, 2, 11);
    farm.observed(a, psk(ticket(nameA, 8)), taken(0), 12);
    farm.probed(a, [[ticket("a-third-key-name", 9)]], 13);
    refuse(farm, 50, 14);
    expect(farm.servers(psk(ticket(nameA, 9)), 15)).toEqual([a]);
  });
});

describe("a server whose tickets lost their names", () => {
  it("leaves no junk, and is led back to when they have names again", () => {
    const farm = farmWith({ [nameA]: a });
    const nameless = Array.from({ length: 3 }, (_, n) => [ticket("", 1000 + n)]);
    farm.probed(a, nameless, 10);
    expect(namesOf(farm, a, 11)).toEqual([nameA]);
    expect(farm.report(11).finding).toBe("no_key_name");
    farm.probed(a, [[ticket(nameB, 1)], [ticket(nameB, 2)]], 12);
    expect(farm.servers(psk(ticket(nameB, 3)), 13)).toEqual([a]);
    expect(farm.report(13).finding).toBe("key_per_server");
  });
});

describe("session ids", () => {
  it("are learnt from the server that gave them", () => {
    const farm = new FarmAffinity(affinityDefaults);
    const { learnt } = farm.observed(a, null, gave(1), 0);
    expect(learnt).toEqual({ ticketNames: [], sessionIds: [{ server: a, id: id(1), ageMs: 0 }] });
    expect(farm.servers(offeredId(1), 1)).toEqual([a]);
    expect(farm.servers(offeredId(1, false), 1)).toEqual([a]);
    expect(farm.observed(a, offeredId(1), { ...gave(1), abbreviated: true }, 2)).toEqual({
      resumed: "accepted",
      learnt: null,
    });
    expect(farm.observed(b, offeredId(1), gave(2), 3).resumed).toBe("refused");
    expect(farm.servers(offeredId(2), 4)).toEqual([b]);
  });

  it.each<{ readonly title: string; readonly offered: OfferedSession | null; readonly facts: FlightFacts }>([
    { title: "TLS 1.3 echoes", offered: offeredId(1, false), facts: { ...tls13, sessionId: id(1) } },
    { title: "come with TLS 1.3", offered: null, facts: { ...tls13, sessionId: id(1) } },
    {
      title: "the client has made up beside a ticket",
      offered: { kind: "ticket", head: ticket(nameA, 1) },
      facts: { ...gave(1), abbreviated: true },
    },
    { title: "a server repeats", offered: offeredId(1), facts: gave(1) },
    { title: "come beside a ticket", offered: null, facts: { ...gave(1), ticketHead: ticket(nameA, 1) } },
    { title: "come before the handshake ends", offered: null, facts: { ...gave(1), settled: false } },
    { title: "come with an alert", offered: null, facts: { ...gave(1), answer: "alert" } },
  ])("are not those that $title", ({ offered, facts }) => {
    const farm = new FarmAffinity(affinityDefaults);
    farm.observed(a, offered, facts, 0);
    expect(farm.report(1).sessionIds).toBe(0);
  });
});

describe("what became of an offer", () => {
  const aTicket: OfferedSession = { kind: "ticket", head: ticket(nameA, 1) };
  const aPsk = psk(ticket(nameA, 1));
  it.each<{
    readonly offered: OfferedSession | null;
    readonly facts: FlightFacts;
    readonly resumed: string | null;
    readonly when: string;
  }>([
    { when: "nothing was offered", offered: null, facts: tls13, resumed: null },
    { when: "a PSK was selected", offered: aPsk, facts: taken(0), resumed: "accepted" },
    { when: "a PSK beyond those that are kept was selected", offered: aPsk, facts: taken(7), resumed: "accepted" },
    { when: "no PSK was selected", offered: aPsk, facts: tls13, resumed: "refused" },
    {
      when: "the server wants another hello",
      offered: aPsk,
      facts: { ...tls13, answer: "hello_retry", version: 0, settled: false },
      resumed: null,
    },
    { when: "a PSK met a TLS 1.2 server", offered: aPsk, facts: tls12, resumed: "refused" },
    { when: "a ticket was resumed", offered: aTicket, facts: { ...tls12, abbreviated: true }, resumed: "accepted" },
    { when: "a ticket was not resumed", offered: aTicket, facts: issued(ticket(nameB, 1)), resumed: "refused" },
    { when: "a ticket met TLS 1.3", offered: aTicket, facts: tls13, resumed: "refused" },
    { when: "a full handshake broke off", offered: aTicket, facts: { ...tls12, settled: false }, resumed: null },
    { when: "an alert came", offered: aTicket, facts: { ...tls12, answer: "alert", version: 0 }, resumed: null },
    {
      when: "nothing came",
      offered: aPsk,
      facts: { ...tls12, answer: "nothing", version: 0, settled: false },
      resumed: null,
    },
    { when: "an id met TLS 1.3", offered: offeredId(1), facts: tls13, resumed: "refused" },
    { when: "an id that may be made up met TLS 1.3", offered: offeredId(1, false), facts: tls13, resumed: null },
    {
      when: "an id that may be made up was resumed",
      offered: offeredId(1, false),
      facts: { ...gave(1), abbreviated: true },
      resumed: "accepted",
    },
    { when: "an id that may be made up was not", offered: offeredId(1, false), facts: gave(2), resumed: null },
    { when: "an id was not resumed", offered: offeredId(1), facts: gave(2), resumed: "refused" },
  ])("is $resumed when $when", ({ offered, facts, resumed }) => {
    const farm = new FarmAffinity(affinityDefaults);
    expect(farm.observed(a, offered, facts, 0).resumed).toBe(resumed);
    const real = offered !== null && (offered.kind !== "session_id" || offered.certain || resumed !== null);
    expect(farm.counts).toEqual({
      offered: real ? 1 : 0,
      accepted: resumed === "accepted" ? 1 : 0,
      refused: resumed === "refused" ? 1 : 0,
    });
  });
});

describe("between nodes", () => {
  it("a node that starts knows what another knew", () => {
    const farm = farmWith({ [nameA]: a, [nameB]: b });
    for (let n = 1; n <= 30; n += 1) farm.observed(a, null, gave(n), n);
    const parts = [...farm.known(50, 7)];
    for (const part of parts) expect(part.ticketNames.length + part.sessionIds.length).toBeLessThanOrEqual(7);
    expect(parts[0]?.ticketNames).toHaveLength(2);
    const ids = parts.flatMap(({ sessionIds }) => sessionIds);
    expect(ids.map(({ ageMs }) => ageMs)).toEqual(Array.from({ length: 30 }, (_, at) => 20 + at));
    const started = new FarmAffinity(affinityDefaults);
    for (const part of parts) started.merge(part, 5_000_000);
    const entries = (of: FarmAffinity, nowMs: number): readonly unknown[] =>
      [...of.known(nowMs, 1000)].flatMap(({ ticketNames, sessionIds }) => [...ticketNames, ...sessionIds]);
    expect(new Set(entries(started, 5_000_000))).toEqual(new Set(entries(farm, 50)));
    expect(entries(started, 5_000_000)).toHaveLength(32);
    expect(started.servers(psk(ticket(nameB, 9)), 5_000_001)).toEqual([b]);
    expect(
      started.observed(b, psk(ticket("a-rotated-key-00", 1)), taken(0), 5_000_002).learnt?.ticketNames,
    ).toHaveLength(1);
  });

  it("the newest ids stay, where there is no room for those of all nodes", () => {
    const started = new FarmAffinity({ ...affinityDefaults, sessionIdsMax: 20 });
    for (const [server, first] of [
      [a, 0],
      [b, 100],
    ] as const) {
      const farm = new FarmAffinity(affinityDefaults);
      for (let n = 1; n <= 20; n += 1) farm.observed(server, null, gave(first + n), n * 10_000);
      for (const part of farm.known(200_000, 5)) started.merge(part, 200_000);
    }
    for (let n = 1; n <= 20; n += 1) {
      expect(started.servers(offeredId(n), 200_000)).toEqual(n > 10 ? [a] : []);
      expect(started.servers(offeredId(100 + n), 200_000)).toEqual(n > 10 ? [b] : []);
    }
    expect(started.report(200_000).sessionIds).toBe(20);
  });

  it("a good name is told again every ten minutes, not more often", () => {
    const farm = farmWith({ [nameA]: a });
    const told = Array.from({ length: 61 }, (_, minute) =>
      farm.observed(a, psk(ticket(nameA, 100 + minute)), taken(0), minute * minuteMs).learnt === null ? 0 : 1,
    );
    expect(told.reduce<number>((sum, each) => sum + each, 0)).toBe(6);
  });

  it.each([
    { title: "ends the name", goodMs: 0, ageMs: 9000, left: [] },
    { title: "does not end what was good here since", goodMs: 9000, ageMs: 9000, left: [a] },
  ])("another node's «dropped» $title", ({ goodMs, ageMs, left }) => {
    const farm = farmWith({ [nameA]: a });
    farm.observed(a, psk(ticket(nameA, 9)), taken(0), goodMs);
    const name = ticket(nameA, 0).slice(0, 16);
    farm.merge({ ticketNames: [{ server: a, name, ageMs, dropped: true }], sessionIds: [] }, 10_000);
    expect(farm.servers(psk(ticket(nameA, 9)), 10_001)).toEqual(left);
  });

  it("the shorter of two lengths wins, whoever comes first", () => {
    const long = new FarmAffinity(affinityDefaults);
    long.probed(a, [[ticket(`${nameA}x`, 1)], [ticket(`${nameA}x`, 2)]], 0);
    const short = farmWith({ [nameA]: a });
    const [ofLong] = long.known(1, 10);
    const [ofShort] = short.known(1, 10);
    long.merge(ofShort as Learnt, 1);
    short.merge(ofLong as Learnt, 1);
    expect(namesOf(long, a, 1)).toEqual([nameA]);
    expect(namesOf(short, a, 1)).toEqual([nameA]);
  });

  it.each([{ bytes: 3 }, { bytes: 33 }])("a name of $bytes bytes is none", ({ bytes }) => {
    const farm = new FarmAffinity(affinityDefaults);
    farm.merge(
      { ticketNames: [{ server: a, name: new Uint8Array(bytes), ageMs: 0, dropped: false }], sessionIds: [] },
      0,
    );
    expect(table(farm, 1)).toBe("[]");
  });
});

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

  it("also where a server has replaced the key: only the replaced name may go, and comes back when it is good", () => {
    const farm = farmWith({ [nameA]: a });
    farm.probed(a, [[ticket(nameB, 1)], [ticket(nameB, 2)]], 10);
    for (let n = 0; n < 50; n += 1) farm.observed(a, psk(ticket(nameA, 400 + n), ticket(nameB, 400 + n)), tls13, 20);
    expect(namesOf(farm, a, 21)).toEqual([nameB]);
    farm.observed(a, psk(ticket(nameA, 3)), taken(0), 30);
    expect(farm.servers(psk(ticket(nameA, 9)), 31)).toEqual([a]);
  });
});
