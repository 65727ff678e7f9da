import { test } from "vitest";
import {
  applied,
  atEnd,
  canaries,
  type Case,
  counters,
  expectJudged,
  failingOn,
  others,
} from "../../../test/controlplane/watched-fleet.ts";
import { heldMsMin } from "./judge-wave.ts";

/** Gates that hold released nodes against others. */
const cases: readonly Case[] = [
  // connect_failures
  {
    what: "5 % against 0.1 %",
    gate: "connect_failures",
    looks: [applied, { atMs: 9000, fleet: (fleet) => fleet.count(canaries, 100, 5).count(others, 1000, 1) }],
    outcome: "failed",
    verdict: "fail",
    figures: { observed: 0.05, limit: 0.001, sample: 1000, controlSample: 20_000 },
  },
  {
    what: "5 % that an earlier look has found, where nobody could act on it, and nothing came since",
    gate: "connect_failures",
    looks: [
      applied,
      { atMs: 9000, fleet: (fleet) => fleet.count(canaries, 100, 5).count(others, 1000, 1) },
      { atMs: 9500 },
      atEnd,
    ],
    outcome: "failed",
    verdict: "fail",
  },
  {
    what: "5 % on both sides",
    gate: "connect_failures",
    looks: [applied, { ...atEnd, fleet: (fleet) => fleet.count(canaries, 100, 5).count(others, 100, 5) }],
    outcome: "passed",
    verdict: "advance",
  },
  {
    what: "more for certain, and within the margin",
    gate: "connect_failures",
    looks: [applied, { ...atEnd, fleet: (fleet) => fleet.count(canaries, 100_000, 400).count(others, 100_000, 0) }],
    outcome: "passed",
    verdict: "advance",
    figures: { observed: 0.004, limit: 0 },
  },
  {
    what: "too few, amid the bake",
    gate: "connect_failures",
    looks: [applied, { atMs: 9000, fleet: (fleet) => fleet.count(canaries, 49, 49).count(others, 100) }],
    outcome: "waiting",
    verdict: "wait",
    figures: { sample: 490, pValue: 1 },
  },
  {
    what: "too few at the end",
    gate: "connect_failures",
    looks: [applied, { ...atEnd, fleet: (fleet) => fleet.count(canaries, 49, 49).count(others, 100) }],
    outcome: "inconclusive",
    verdict: "advance",
  },
  {
    what: "without control against the nodes themselves before",
    gate: "connect_failures",
    looks: [applied, { atMs: 9000, fleet: (fleet) => fleet.count(canaries, 100, 5) }],
    outcome: "failed",
    verdict: "fail",
    figures: { limit: 0.001, controlSample: 100_000 },
  },
  {
    what: "a process that restarts and counts from 0",
    gate: "connect_failures",
    gates: { lostMaxPercent: 100 },
    looks: [
      applied,
      { atMs: 5000, fleet: (fleet) => fleet.count(canaries, 100, 0).count(others, 1000, 1) },
      { atMs: 9000, fleet: (fleet) => fleet.set(canaries, { bootId: "two", counters: counters(100, 20) }) },
    ],
    outcome: "failed",
    verdict: "fail",
    figures: { observed: 0.1, sample: 2000 },
  },
  {
    what: "totals of which a replica lost a part",
    gate: "connect_failures",
    looks: [
      applied,
      { atMs: 5000, fleet: (fleet) => fleet.set(canaries, { counters: counters(100, 100) }) },
      { ...atEnd, fleet: (fleet) => fleet.count(canaries, 100, 0).count(others, 100, 0) },
    ],
    outcome: "passed",
    verdict: "advance",
    figures: { observed: 0, sample: 1000 },
  },
  {
    what: "what released nodes count before they serve the target",
    gate: "connect_failures",
    looks: [{ atMs: 1000, fleet: (fleet) => fleet.count(canaries, 1000, 900).count(others, 1000) }],
    outcome: "waiting",
    verdict: "wait",
    figures: { sample: 0 },
  },
  // handshake_failures
  {
    what: "5 % against none",
    gate: "handshake_failures",
    looks: [applied, { atMs: 9000, fleet: (fleet) => fleet.count(canaries, 100, 0, 5).count(others, 1000) }],
    outcome: "failed",
    verdict: "fail",
    figures: { observed: 0.05, limit: 0 },
  },
  {
    what: "none against 5 %",
    gate: "handshake_failures",
    looks: [applied, { ...atEnd, fleet: (fleet) => fleet.count(canaries, 100).count(others, 100, 0, 5) }],
    outcome: "passed",
    verdict: "advance",
  },
  // healthy_servers
  {
    what: "one of four left, which only released nodes see, for a moment",
    gate: "healthy_servers",
    looks: [applied, { atMs: 2000, fleet: (fleet) => failingOn(fleet, canaries, 3) }],
    outcome: "waiting",
    verdict: "wait",
    figures: { observed: 0.25, limit: 0.5 },
  },
  {
    what: "one of four left, which only released nodes see, for long",
    gate: "healthy_servers",
    looks: [applied, { atMs: 2000, fleet: (fleet) => failingOn(fleet, canaries, 3) }, { atMs: 2000 + heldMsMin }],
    outcome: "failed",
    verdict: "fail",
  },
  {
    what: "one of four left, as all nodes see it",
    gate: "healthy_servers",
    looks: [applied, { ...atEnd, fleet: (fleet) => failingOn(fleet, [...canaries, ...others], 3) }],
    outcome: "passed",
    verdict: "advance",
  },
  {
    what: "two of four left",
    gate: "healthy_servers",
    looks: [applied, { ...atEnd, fleet: (fleet) => failingOn(fleet, canaries, 2) }],
    outcome: "passed",
    verdict: "advance",
  },
];

test.each(cases)("$gate of $what: $outcome, so $verdict", expectJudged);
