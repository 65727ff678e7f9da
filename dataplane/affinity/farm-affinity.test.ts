import { describe, expect, it } from "vitest";
import { affinityDefaults } from "../../model/farm-policy.ts";
import type { Learnt } from "../../model/learnt.ts";
import {
  a,
  b,
  farmWith,
  gave,
  id,
  issued,
  nameA,
  nameB,
  namesOf,
  offeredId,
  psk,
  table,
  taken,
  ticket,
  tls12,
  tls13,
} from "../../test/support/affinity-observations.ts";
import type { FlightFacts } from "../hello/flight-facts.ts";
import { FarmAffinity } from "./farm-affinity.ts";
import type { OfferedSession } from "./offered-session.ts";

const minuteMs = 60_000;

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
