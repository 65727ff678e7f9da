import { describe, expect, it } from "vitest";
import type { Beacon } from "../../model/wire/log-record.ts";
import { isAhead, winner } from "./replica-heads.ts";

const at = (replica: string, epoch: number, revision: number): Beacon => ({
  replica,
  head: { epoch, revision, hash: new Uint8Array(revision === 0 ? 0 : 32) },
});

describe("the chain that the log goes on with", () => {
  it.each<[string, readonly Beacon[], string | undefined]>([
    ["of none there is none", [], undefined],
    ["the longest", [at("a", 1, 5), at("b", 1, 7), at("c", 1, 6)], "b"],
    ["a later epoch before a longer chain", [at("a", 1, 900), at("b", 2, 7)], "b"],
    ["among equals the smallest id, however they are asked", [at("c", 1, 5), at("b", 1, 5), at("d", 1, 5)], "b"],
    ["the same the other way round", [at("b", 1, 5), at("c", 1, 5)], "b"],
    ["never an empty one before one that is not", [at("a", 1, 0), at("z", 1, 1)], "z"],
  ])("%s", (_, heads, replica) => {
    expect(winner(heads)?.replica).toBe(replica);
  });

  it("is not ahead of its equal", () => {
    expect(isAhead(at("a", 1, 5).head, at("b", 1, 5).head)).toBe(false);
  });
});
