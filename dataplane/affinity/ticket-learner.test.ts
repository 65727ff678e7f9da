import { describe, expect, it } from "vitest";
import { affinityDefaults } from "../../model/farm-policy.ts";
import type { Learnt } from "../../model/learnt.ts";
import {
  a,
  b,
  farmWith,
  issued,
  nameA,
  nameB,
  namesOf,
  psk,
  table,
  taken,
  ticket,
  tls13,
} from "../../test/support/affinity-observations.ts";
import { FarmAffinity } from "./farm-affinity.ts";

const minuteMs = 60_000;

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
