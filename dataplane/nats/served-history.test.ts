import { describe, expect, it } from "vitest";
import { origin, type Position } from "../../model/commit.ts";
import { ServedHistory } from "./served-history.ts";

/** A position of a history that is told by its letter. */
function at(revision: number, history = "a", epoch = 1): Position {
  return revision === 0 ? origin : { epoch, revision, hash: new Uint8Array(32).fill(history.charCodeAt(0)) };
}

/** A node that serves revision 10 of history a, after having been fed all of it. */
function serving(): ServedHistory {
  const history = new ServedHistory(origin);
  history.at(at(10));
  history.serves(at(10));
  return history;
}

describe("what a node may serve", () => {
  it.each<readonly [what: string, fed: readonly Position[], mayServe: boolean]>([
    ["what continues it", [at(11)], true],
    ["the same, folded anew", [origin, at(10)], true],
    ["the same, folded anew and continued", [origin, at(10), at(11)], true],
    ["what it served, folded anew in part", [origin, at(9)], false],
    ["another history that is as long", [origin, at(10, "b")], false],
    ["another history that is longer", [origin, at(9, "b"), at(10, "b"), at(11, "b")], false],
    ["another history of a higher epoch", [origin, at(5, "b", 2)], true],
    ["another history, until its epoch is higher", [origin, at(10, "b"), at(11, "b", 2)], true],
    ["what continues it, and then another history", [at(11), origin, at(10), at(11, "b")], false],
  ])("%s", (_what, fed, mayServe) => {
    const history = serving();
    for (const position of fed) history.at(position);
    expect(history.mayServe(fed.at(-1) as Position)).toBe(mayServe);
  });

  it("anything, while it serves nothing", () => {
    const history = new ServedHistory(origin);
    history.at(at(3, "b"));
    history.at(origin);
    expect([history.mayServe(at(2)), history.mayReplace(at(2))]).toEqual([true, true]);
  });

  it("only what contains its cache", () => {
    const history = new ServedHistory(at(10));
    expect(history.mayServe(at(10))).toBe(true);
    history.at(origin);
    expect(history.mayServe(at(10, "b"))).toBe(false);
  });
});

describe("a node that goes back", () => {
  it("begins with an older snapshot of a log that has what it knew, and may serve that log again", () => {
    const history = serving();
    history.at(origin);
    expect([history.mustHave, history.mayServe(at(10))]).toEqual([at(10), false]);
    history.goesBackTo(at(5));
    history.at(at(6));
    expect([history.mustHave, history.mayServe(at(12))]).toEqual([at(10), true]);
    history.at(origin);
    expect(history.mayServe(at(12, "b"))).toBe(false);
  });
});

describe("a snapshot may replace what a node serves", () => {
  it.each<readonly [what: string, fed: readonly Position[], snapshot: Position, may: boolean]>([
    ["when it is further on", [], at(600), true],
    ["not when it is older", [], at(9), false],
    ["not when the node folds anew", [origin], at(600), false],
    ["when its epoch is higher", [origin], at(5, "b", 2), true],
  ])("%s", (_what, fed, snapshot, may) => {
    const history = serving();
    for (const position of fed) history.at(position);
    expect(history.mayReplace(snapshot)).toBe(may);
  });
});
