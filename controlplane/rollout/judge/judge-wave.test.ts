import { expect, test } from "vitest";
import {
  applied,
  asItWas,
  atEnd,
  canaries,
  type Case,
  expectJudged,
  failingOn,
  judged,
  otherDigest,
  rollout,
  target,
} from "../../../test/controlplane/watched-fleet.ts";

const cases: readonly Case[] = [
  // applied
  { what: "nobody yet", gate: "applied", looks: [{ atMs: 59_999 }], outcome: "waiting", verdict: "wait" },
  { what: "nobody at the deadline", gate: "applied", looks: [{ atMs: 60_000 }], outcome: "failed", verdict: "fail" },
  {
    what: "9 of 10, where 95 % must, at the deadline",
    gate: "applied",
    looks: [{ atMs: 60_000, fleet: (fleet) => fleet.apply(canaries.slice(1)) }],
    outcome: "failed",
    verdict: "fail",
    figures: { observed: 0.9, limit: 0.95 },
  },
  {
    what: "9 of 10, where 90 % must",
    gate: "applied",
    gates: { appliedMinPercent: 90 },
    looks: [{ atMs: 60_000, fleet: (fleet) => fleet.apply(canaries.slice(1)) }],
    outcome: "passed",
    verdict: "wait",
  },
  {
    what: "9 of 9 reachable ones, and one that was never there",
    gate: "applied",
    first: (fleet) => fleet.set([0], { reachable: false }),
    looks: [{ atMs: 1000, fleet: (fleet) => fleet.apply(canaries.slice(1)) }, atEnd],
    outcome: "passed",
    verdict: "advance",
  },
  {
    what: "all, amid the bake",
    gate: "applied",
    looks: [applied, { atMs: 300_999 }],
    outcome: "passed",
    verdict: "wait",
  },
  { what: "all, at the end", gate: "applied", looks: [applied, atEnd], outcome: "passed", verdict: "advance" },
  {
    what: "no reachable node before the deadline",
    gate: "applied",
    first: (fleet) => fleet.set(canaries, { reachable: false }),
    looks: [{ atMs: 59_999 }],
    outcome: "waiting",
    verdict: "wait",
  },
  {
    what: "no reachable node at the deadline",
    gate: "applied",
    first: (fleet) => fleet.set(canaries, { reachable: false }),
    looks: [{ atMs: 60_000 }],
    outcome: "inconclusive",
    verdict: "advance",
  },
  {
    what: "a part that comes back at the end of the bake and has its own deadline",
    gate: "applied",
    first: (fleet) => fleet.set([0, 1], { reachable: false }),
    looks: [
      { atMs: 1000, fleet: (fleet) => fleet.apply(canaries.slice(2)) },
      { atMs: 300_000, fleet: (fleet) => fleet.set([0, 1], { reachable: true }) },
      { atMs: 359_999 },
    ],
    outcome: "waiting",
    verdict: "wait",
  },
  {
    what: "a part that came back and did not apply in time",
    gate: "applied",
    first: (fleet) => fleet.set([0, 1], { reachable: false }),
    looks: [
      { atMs: 1000, fleet: (fleet) => fleet.apply(canaries.slice(2)) },
      { atMs: 300_000, fleet: (fleet) => fleet.set([0, 1], { reachable: true }) },
      { atMs: 360_000 },
    ],
    outcome: "failed",
    verdict: "fail",
  },
  // refused
  {
    what: "one that can't",
    gate: "refused",
    looks: [
      { atMs: 500, fleet: (fleet) => fleet.set([3], { refused: { revision: target, detail: "address_in_use" } }) },
    ],
    outcome: "failed",
    verdict: "fail",
    figures: { observed: 1, limit: 0 },
  },
  {
    what: "one that can't, where one may",
    gate: "refused",
    gates: { refusedMax: 1 },
    looks: [
      { atMs: 500, fleet: (fleet) => fleet.apply(canaries).set([3], { refused: { revision: target, detail: "" } }) },
      atEnd,
    ],
    outcome: "passed",
    verdict: "advance",
  },
  {
    what: "one that could not before",
    gate: "refused",
    first: (fleet) => fleet.set([3], { refused: { revision: 2, detail: "" } }),
    looks: [applied, atEnd],
    outcome: "passed",
    verdict: "advance",
  },
  {
    what: "one of another wave that can't",
    gate: "refused",
    looks: [applied, { ...atEnd, fleet: (fleet) => fleet.set([13], { refused: { revision: target, detail: "" } }) }],
    outcome: "passed",
    verdict: "advance",
  },
  // digest
  {
    what: "one that made something else of it",
    gate: "digest",
    looks: [{ atMs: 500, fleet: (fleet) => fleet.set([3], { revision: target, digest: otherDigest }) }],
    outcome: "failed",
    verdict: "fail",
    figures: { observed: 1, limit: 0 },
  },
  { what: "the same everywhere", gate: "digest", looks: [applied, atEnd], outcome: "passed", verdict: "advance" },
  // lost
  {
    what: "one that is a new process",
    gate: "lost",
    looks: [applied, { atMs: 2000, fleet: (fleet) => fleet.set([3], { bootId: "two" }) }],
    outcome: "failed",
    verdict: "fail",
    figures: { observed: 0.1, limit: 0.05 },
  },
  {
    what: "one that is a new process, where 10 % may",
    gate: "lost",
    gates: { lostMaxPercent: 10 },
    looks: [applied, { ...atEnd, fleet: (fleet) => fleet.set([3], { bootId: "two" }) }],
    outcome: "passed",
    verdict: "advance",
  },
  {
    what: "one that has just fallen silent",
    gate: "lost",
    looks: [applied, { atMs: 2000, fleet: (fleet) => fleet.set([3], { reachable: false }) }, { atMs: 16_999 }],
    outcome: "waiting",
    verdict: "wait",
  },
  {
    what: "one that fell silent for long",
    gate: "lost",
    looks: [applied, { atMs: 2000, fleet: (fleet) => fleet.set([3], { reachable: false }) }, { atMs: 17_000 }],
    outcome: "failed",
    verdict: "fail",
  },
  {
    what: "all that moved to another replica, and are there again",
    gate: "lost",
    looks: [
      applied,
      { atMs: 2000, fleet: (fleet) => fleet.set(canaries, { reachable: false }) },
      { atMs: 9000, fleet: (fleet) => fleet.set(canaries, { reachable: true }) },
      atEnd,
    ],
    outcome: "passed",
    verdict: "wait",
  },
  {
    what: "all that were silent for a moment, and have baked from the beginning since",
    gate: "lost",
    looks: [
      applied,
      { atMs: 2000, fleet: (fleet) => fleet.set(canaries, { reachable: false }) },
      { atMs: 9000, fleet: (fleet) => fleet.set(canaries, { reachable: true }) },
      { atMs: 302_000 },
    ],
    outcome: "passed",
    verdict: "advance",
  },
  {
    what: "one that fell silent just before the end of the bake",
    gate: "lost",
    looks: [applied, { ...atEnd, fleet: (fleet) => fleet.set([3], { reachable: false }) }],
    outcome: "waiting",
    verdict: "wait",
  },
  {
    what: "one that was off at the release, is switched on and dies",
    gate: "lost",
    first: (fleet) => fleet.set([3], { reachable: false }),
    looks: [
      applied,
      { atMs: 2000, fleet: (fleet) => fleet.set([3], { reachable: true, bootId: "two" }) },
      { atMs: 3000, fleet: (fleet) => fleet.set([3], { bootId: "three" }) },
    ],
    outcome: "failed",
    verdict: "fail",
  },
  {
    what: "one that was off at the release and is switched on",
    gate: "lost",
    first: (fleet) => fleet.set([3], { reachable: false }),
    looks: [applied, { ...atEnd, fleet: (fleet) => fleet.set([3], { reachable: true, bootId: "two" }) }],
    outcome: "passed",
    verdict: "advance",
  },
];

test.each(cases)("$gate of $what: $outcome, so $verdict", expectJudged);

test("gates that are off judge nothing", () => {
  const off = { connectFailures: null, handshakeFailures: null, healthyServersMinPercent: 0 };
  const last = judged(rollout(off), asItWas, [
    applied,
    { ...atEnd, fleet: (fleet) => failingOn(fleet.count(canaries, 1000, 900, 100), canaries, 4) },
  ]);
  expect(last.judgement.gates.map(({ gate }) => gate)).toEqual(["applied", "refused", "digest", "lost"]);
  expect(last.decided).toEqual({ verdict: "advance" });
});

test("the time that is left is that of the deadline, then that of the bake", () => {
  expect(judged(rollout(), asItWas, [{ atMs: 20_000 }])).toMatchObject({ phase: "applying", remainingMs: 40_000 });
  const baking = judged(rollout(), asItWas, [applied, { atMs: 101_000 }]);
  expect(baking).toMatchObject({ phase: "baking", remainingMs: 200_000 });
});
