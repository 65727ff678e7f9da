import { expect, it } from "vitest";
import { isNodeToken, learntSubjects, logNames, nodeToken } from "./log-names.ts";

it.each([
  ["eu", "switchyard.learnt.eu.news"],
  ["", "switchyard.learnt.=.news"],
  ["a.b", "switchyard.learnt.a=2Eb.news"],
  ["a b", "switchyard.learnt.a=20b.news"],
  ["=", "switchyard.learnt.=3D.news"],
  ["*", "switchyard.learnt.=2A.news"],
  [">", "switchyard.learnt.=3E.news"],
  ["zürich", "switchyard.learnt.z=C3=BCrich.news"],
])("the region %j is one token of a subject", (region, news) => {
  expect(learntSubjects(logNames(), region).news).toBe(news);
});

it.each([
  ["edge-1.eu", "edge-1_eu", true],
  ["a>", "a>", false],
  ["a *", "a *", false],
  ["", "", false],
])("the node %j has a token, which can be told from what is none", (id, token, is) => {
  expect([nodeToken(id), isNodeToken(nodeToken(id))]).toEqual([token, is]);
});

it("an installation's streams and subjects are its own, and no two are the same", () => {
  const all = [logNames("a"), logNames("b")].flatMap((names) => Object.values(names));
  expect(new Set(all).size).toBe(all.length);
  expect(logNames("eu_1")).toMatchObject({ leaseStream: "EU_1_LEASE", leaseSubject: "eu_1.lease" });
});
