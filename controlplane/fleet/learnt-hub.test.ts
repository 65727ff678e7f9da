import { describe, expect, it } from "vitest";
import type { SessionResponse } from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { LearntAllowance } from "./learnt-allowance.ts";
import { LearntHub, type LearntMember } from "./learnt-hub.ts";

class Member implements LearntMember {
  readonly got: SessionResponse[] = [];
  reads = true;
  readonly nodeId: string;
  readonly region: string;

  constructor(nodeId: string, region = "eu") {
    this.nodeId = nodeId;
    this.region = region;
  }
  hasRoom(): boolean {
    return this.reads;
  }
  send(response: SessionResponse): void {
    this.got.push(response);
  }
}

function learnt(to = "") {
  return { to, servers: [], ticketNames: [], sessionIds: [] };
}

function hubOf(count: number): { readonly hub: LearntHub; readonly members: readonly Member[] } {
  const hub = new LearntHub();
  const members = Array.from({ length: count }, (_, index) => new Member(`n${index}`));
  for (const member of members) hub.join(member);
  return { hub, members };
}

function counts(members: readonly Member[]): number[] {
  return members.map(({ got }) => got.length);
}

describe("what a node learnt", () => {
  it("goes to the others of its region, as one object, and not to who left or does not read", () => {
    const { hub, members } = hubOf(5);
    const elsewhere = new Member("far", "us");
    hub.join(elsewhere);
    const [from, one, stuck, gone, two] = members as [Member, Member, Member, Member, Member];
    stuck.reads = false;
    hub.leave(gone);
    hub.share(from, learnt());
    expect(counts([...members, elsewhere])).toEqual([0, 1, 0, 0, 1, 0]);
    expect(one.got[0]).toBe(two.got[0]);
    expect(hub.dropped).toBe(1);
  });

  it("is asked of two others at most, and the answer goes to the asker only, from those who were asked", () => {
    const { hub, members } = hubOf(5);
    hub.ask(members[4] as Member);
    expect(counts(members).reduce((sum, count) => sum + count)).toBe(2);
    expect(members[0]?.got[0]?.message).toEqual({ $case: "learntQuestion", value: { asker: "n4" } });
    const asked = members.filter(({ got }) => got.length === 1);
    for (const member of members) hub.share(member, learnt("n4"));
    expect(members[4]?.got.length).toBe(asked.length);
    expect(counts(asked)).toEqual([1, 1]);
  });

  it.each([1, 2, 3])("is asked of the others where there are %i nodes", (count) => {
    const { hub, members } = hubOf(count);
    for (let each = 0; each < 10; each += 1) hub.ask(members[0] as Member);
    expect(counts(members)).toEqual([0, 10, 10].slice(0, count));
  });
});

describe("what one node may share", () => {
  it.each([
    ["messages", "takeMessage", 1000, 200],
    ["questions", "takeQuestion", 20, 1],
  ] as const)("is bounded: %s", (_what, take, burst, perS) => {
    const allowance = new LearntAllowance(0);
    const granted = (nowMs: number): number => {
      let count = 0;
      while (count < 5000 && allowance[take](nowMs)) count += 1;
      return count;
    };
    expect(granted(0)).toBe(burst);
    // The one that was refused is to be made up for, too.
    expect(granted(2000)).toBe(2 * perS - 1);
  });
});
