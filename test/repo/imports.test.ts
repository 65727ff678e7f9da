import { describe, expect, it } from "vitest";
import { importLaw, importsAreLiteral, noImportCycles } from "./import-laws.ts";
import { importRules, matches } from "./import-rules.ts";
import { importsOf } from "./imports.ts";
import { type Plant, proveLaw } from "./prove-law.ts";

/** For each rule, by its sentence: what breaks it, and what only looks like it. */
const plants: Readonly<Record<string, { readonly caught: Plant; readonly spared: Plant }>> = {
  "The control plane does not know the data plane.": {
    caught: {
      "controlplane/rollout/a.ts": `import { b } from "../../dataplane/table/b.ts";`,
      "controlplane/rollout/a.test.ts": `import { b } from "../../dataplane/table/b.ts";`,
      "controlplane/a.ts": `import type { B } from "../dataplane/b.ts";`,
      "controlplane/b.ts": `export * from "../dataplane/b.ts";`,
      "controlplane/c.ts": `type B = import("../dataplane/b.ts").B;`,
      "controlplane/d.ts": `const b = await import("../dataplane/b.ts");`,
      "controlplane/e.ts": `const b = require("../dataplane/b.ts");`,
    },
    spared: {
      "controlplane/a.ts": `import { b } from "../model/b.ts"; // not "../dataplane/b.ts"`,
      "cli/up.ts": `import "../controlplane/a.ts"; import "../dataplane/b.ts";`,
    },
  },
  "The data plane does not know the control plane.": {
    caught: { "dataplane/feed/a.ts": `export { b } from "../../controlplane/log/b.ts";` },
    spared: { "dataplane/feed/a.ts": `import { b } from "../../model/controlplane.ts";` },
  },
  "The model is made of itself and a hash function.": {
    caught: {
      "model/a.ts": `import { b } from "./wire/../../controlplane/b.ts";`,
      "model/b.ts": `import { create } from "@bufbuild/protobuf";`,
      "model/c.ts": `import { x } from "../proto/gen/x.ts";`,
      "model/d.ts": `import { createHash } from "node:crypto";`,
      "model/e.ts": `import { createHash } from "crypto";`,
    },
    spared: {
      "model/a.ts": `import { sha256 } from "@noble/hashes/sha2.js"; import { b } from "./b.ts";`,
      "model/a.test.ts": `import { createHash } from "node:crypto";`,
    },
  },
  "model/wire adds the generated messages to the model, and nothing else.": {
    caught: { "model/wire/a.ts": `import { status } from "@grpc/grpc-js";` },
    spared: { "model/wire/a.ts": `import { x } from "../../proto/gen/x.ts"; import { b } from "../b.ts";` },
  },
  "Deciders import the model.": {
    caught: { "controlplane/decide/a.ts": `import type { EventLog } from "../log/event-log.ts";` },
    spared: { "controlplane/decide/a.ts": `import { b } from "./b.ts"; import { c } from "../../model/c.ts";` },
  },
  "The plan of a rollout imports the model, what is decided and what is seen of nodes.": {
    caught: { "controlplane/rollout/plan/a.ts": `import { FleetView } from "../../fleet/fleet-view.ts";` },
    spared: { "controlplane/rollout/plan/a.ts": `import { decide } from "../../decide/decide.ts";` },
  },
  "Waves are judged by the model and what is seen of nodes.": {
    caught: { "controlplane/rollout/judge/a.ts": `import { decide } from "../../decide/decide.ts";` },
    spared: {
      "controlplane/rollout/judge/a.ts": `import { b } from "./b.ts"; import type { N } from "../node-observation.ts";`,
    },
  },
  "The node's pure folders import the model and each other.": {
    caught: {
      "dataplane/choose/a.ts": `import { b } from "../engine/b.ts";`,
      "dataplane/hello/a.ts": `import pino from "pino";`,
    },
    spared: { "dataplane/choose/a.ts": `import { b } from "../table/b.ts";` },
  },
  "Generated types stop where the wire ends.": {
    caught: {
      "controlplane/log/a.ts": `import type { X } from "../../proto/gen/x.ts";`,
      "dataplane/table/a.ts": `type X = import("../../proto/gen/x.ts").X;`,
    },
    spared: {
      "controlplane/admin/a.ts": `import { X } from "../../proto/gen/x.ts";`,
      "dataplane/feed/grpc/a.ts": `import { X } from "../../../proto/gen/x.ts";`,
    },
  },
  "Only the log knows SQLite.": {
    caught: { "controlplane/main.ts": `import Database from "better-sqlite3";` },
    spared: { "controlplane/log/sqlite/a.ts": `import Database from "better-sqlite3";` },
  },
  "NATS has one adapter folder in each plane.": {
    caught: {
      "dataplane/telemetry/a.ts": `import { connect } from "nats";`,
      "controlplane/fleet/a.ts": `import { connect } from "@nats-io/transport-node";`,
    },
    spared: {
      "dataplane/nats/a.ts": `import { connect } from "nats";`,
      "controlplane/nats/a.ts": `import type { NatsConnection } from "nats";`,
    },
  },
  "The command line is the top: nobody imports it.": {
    caught: { "bench/a.ts": `import { up } from "../cli/up.ts";` },
    spared: { "cli/main.ts": `import { up } from "./up.ts";` },
  },
  "Benches are ends: nobody imports them.": {
    caught: { "dataplane/table/a.ts": `import { b } from "../../bench/b.ts";` },
    spared: { "test/a.test.ts": `import { b } from "../bench/b.ts";` },
  },
  "Sources do not import tests, nor what only tests need.": {
    caught: {
      "dataplane/a.ts": `import { b } from "../test/contract/b.ts";`,
      "dataplane/b.ts": `import { c } from "./c.test.ts";`,
      "dataplane/c.ts": `import fc from "fast-check";`,
      "bench.ts": `import { expect } from "vitest";`,
    },
    spared: { "dataplane/a.test.ts": `import { b } from "../test/contract/b.ts"; import { it } from "vitest";` },
  },
};

it("every import rule has a plant, and every plant a rule", () => {
  expect(Object.keys(plants).toSorted()).toEqual(importRules.map(({ law }) => law).toSorted());
});

// One planted file at a time: a tree with several would pass with one of them caught.
function each(name: string, plant: Plant): Readonly<Record<string, Plant>> {
  return Object.fromEntries(
    Object.entries(plant).map(([path, text]) => [`${name} ${path}: ${text}`, { [path]: text }]),
  );
}

for (const rule of importRules) {
  const { caught = {}, spared = {} } = plants[rule.law] ?? {};
  proveLaw({ law: importLaw(rule), caught: each("in", caught), spared: each("in", spared) });
}

proveLaw({
  law: importsAreLiteral,
  caught: {
    "a computed import": { "cli/a.ts": `export const a = await import(process.argv[2] ?? "");` },
    "a template": { "cli/a.ts": "export const a = (name: string) => import(`../model/${name}.ts`);" },
  },
  spared: {
    "a literal": { "cli/a.ts": `export const a = await import("../model/b.ts");` },
    "the door": { "cli/switchyard.mjs": `import(built.href);` },
    "a bench": { "bench/a.ts": `await import(engine);` },
    "a test, which may load what it has just made": { "test/a.test.ts": `await import(made);` },
  },
});

proveLaw({
  law: noImportCycles,
  caught: {
    "two files that need each other": { "a.ts": `import "./b.ts";`, "b.ts": `import "./a.ts";` },
    "a file that needs itself": { "a.ts": `import "./a.ts";` },
    "a long way round, through a type": {
      "model/a.ts": `import { b } from "../model/b.ts";`,
      "model/b.ts": `export { c } from "./wire/c.ts";`,
      "model/wire/c.ts": `type A = import("../a.ts").A;`,
    },
    "a circle that hangs on another file": {
      "a.ts": `import "./b.ts"; import "./c.ts";`,
      "b.ts": ``,
      "c.ts": `import "./d.ts"; import "./b.ts";`,
      "d.ts": `import "./c.ts";`,
    },
  },
  spared: {
    "two ways to one file": {
      "a.ts": `import "./b.ts"; import "./c.ts";`,
      "b.ts": `import "./d.ts";`,
      "c.ts": `import "./d.ts";`,
      "d.ts": `import "node:fs"; import "nats"; import "./missing.ts";`,
    },
  },
});

describe("reading imports", () => {
  it.each([
    [`import a from "./b.ts";`, ["model/wire/b.ts"]],
    [`import "../b.ts";`, ["model/b.ts"]],
    [`import type { A } from "../../proto/gen/x.ts";`, ["proto/gen/x.ts"]],
    [`export { a } from "./b.ts"; export * as c from "./c.ts";`, ["model/wire/b.ts", "model/wire/c.ts"]],
    [`import a = require("a");`, ["npm:a"]],
    [`type A = typeof import("fs/promises");`, ["node:fs/promises"]],
    [`import "@noble/hashes/sha2.js"; import "node:test";`, ["npm:@noble/hashes/sha2.js", "node:test"]],
    [`import(name);`, [undefined]],
    [`export const a = "import './b.ts'"; // import "./c.ts"`, []],
  ])("%s", (text, targets) => {
    expect(importsOf({ path: "model/wire/a.ts", text }).map(({ target }) => target)).toEqual(targets);
  });
});

describe("patterns", () => {
  it.each([
    ["model/**", "model/a.ts", true],
    ["model/**", "model/wire/a.ts", true],
    ["model/**", "modelling/a.ts", false],
    ["model/**", "console/model/a.ts", false],
    ["**/main.ts", "main.ts", true],
    ["**/main.ts", "controlplane/main.ts", true],
    ["**/main.ts", "controlplane/domain.ts", false],
    ["**/*.test.ts", "model/a.test.ts", true],
    ["**/*.test.ts", "model/a-test.ts", false],
    ["*.config.ts", "vitest.config.ts", true],
    ["*.config.ts", "model/a.config.ts", false],
    ["npm:nats/**", "npm:nats", true],
    ["npm:nats/**", "npm:nats/lib/x.js", true],
    ["npm:nats/**", "npm:nats-other", false],
    ["**", "npm:anything", true],
  ])("%s on %s: %s", (pattern, target, expected) => {
    expect(matches(target, [pattern])).toBe(expected);
  });
});
