import { describe, expect, it } from "vitest";
import { onlyEntrancesReadTheEnvironment } from "./environment-law.ts";
import { type Plant, proveLaw, repository } from "./prove-law.ts";
import { pureFoldersArePure } from "./purity-law.ts";
import { filesAreNamedForWhatTheyHold, noBarrels, noDefaultExports, noEmptyCatch } from "./shape-laws.ts";
import { allowancesLaw, fileLinesMax, functionLinesMax, sizeLaw } from "./size-law.ts";
import { sizeAllowances } from "./size-allowances.ts";

/** Each text as the only file of a tree, at the given path. */
function at(path: string, texts: readonly string[]): Readonly<Record<string, Plant>> {
  return Object.fromEntries(texts.map((text) => [text, { [path]: text }]));
}

proveLaw({
  law: pureFoldersArePure,
  caught: {
    ...at("model/a.ts", [
      `import { hash } from "node:crypto";`,
      `import type { Socket } from "net";`,
      `export const now = Date.now();`,
      `export const clock = { now: Date.now };`,
      `export const now = new Date();`,
      `export const now = Date();`,
      `export const dice = Math.random();`,
      `export const dice = Math["random"]();`,
      `export const home = process.env.HOME;`,
      `export const at = performance.now();`,
      `export const wait = () => setTimeout(() => 1, 1);`,
      `export const wait = globalThis.setTimeout;`,
      `export async function load() { return 1; }`,
      `export const load = async () => 1;`,
      `export const a = { async load() { return 1; } };`,
      `export class A { async load() { return 1; } }`,
      `export const soon = Promise.resolve(1);`,
      `export const shorthand = { process };`,
      `export const key = { [process]: 1 };`,
      `console.log("seen");`,
      `await 1;`,
    ]),
    "every pure folder, not only the model": { "dataplane/choose/a.ts": `export const dice = Math.random();` },
    deciders: { "controlplane/decide/deep/a.ts": `export const now = Date.now();` },
  },
  spared: {
    ...at("model/a.ts", [
      `export const convert = (ms: number): string => new Date(ms).toISOString();`,
      `export const largest = Math.max(1, 2);`,
      `export const state = { process: 1, performance: 2 };`,
      `export const read = (row: { process: number }): number => row.process;`,
      `export type Later = Promise<number>;`,
      `export const quoted = "Date.now()"; // Math.random()`,
      `export function* walk() { yield 1; }`,
    ]),
    "a test": { "model/a.test.ts": `import "node:fs"; export const now = Date.now();` },
    "a folder with effects": { "controlplane/log/a.ts": `export const now = Date.now();` },
    "a folder whose name only begins like one": { "dataplane/tables/a.ts": `export const now = Date.now();` },
  },
});

proveLaw({
  law: onlyEntrancesReadTheEnvironment,
  caught: at("controlplane/log/a.ts", [
    `export const home = process.env.HOME;`,
    `export const home = process["env"]["HOME"];`,
    `export const first = globalThis.process.argv[2];`,
    `import { env } from "node:process";`,
    `import process from "process";`,
    `export const { env } = process;`,
    `export const stop = () => process.exit(1);`,
    `process.exitCode = 1;`,
  ]),
  spared: {
    ...at("controlplane/log/a.ts", [
      `export const bytes = process.memoryUsage().rss;`,
      `export const child = (env: object) => ({ env });`,
    ]),
    "a main.ts": { "controlplane/main.ts": `export const home = process.env["HOME"];` },
    "a build script": { "dataplane/native/build.mjs": `export const home = process.env["HOME"];` },
    "the command line": { "cli/up.ts": `export const home = process.env["HOME"];` },
    "a test": { "test/a.test.ts": `export const seed = process.env["SEED"];` },
  },
});

proveLaw({
  law: noDefaultExports,
  caught: at("model/a.ts", [
    `export default 1;`,
    `export default function a() {}`,
    `const a = 1; export { a as default };`,
    `export { default } from "./b.ts";`,
  ]),
  spared: {
    ...at("model/a.ts", [`export const a = 1;`, `import b from "b"; export const a = b;`]),
    "a tool's configuration": { "vitest.config.ts": `export default {};` },
  },
});

proveLaw({
  law: noBarrels,
  caught: at("model/a.ts", [
    `export * from "./b.ts";`,
    `export { b } from "./b.ts";\nexport type { C } from "./c.ts";`,
    `import { b } from "./b.ts";\nexport { b };`,
  ]),
  spared: at("model/a.ts", [
    `import "./b.ts";`,
    `export { b } from "./b.ts";\nexport const c = 1;`,
    `const a = 1;\nexport { a };`,
    ``,
  ]),
});

const nothing = `export const a = 1;`;
proveLaw({
  law: filesAreNamedForWhatTheyHold,
  caught: Object.fromEntries(
    ["util.ts", "model/utils.ts", "model/string-utils.ts", "test/helpers.ts", "cli/common.ts", "model/types.ts"]
      .concat(["model/constants.ts", "model/index.ts", "test/tls.helper.ts"])
      .map((path) => [path, { [path]: nothing }]),
  ),
  spared: Object.fromEntries(
    ["model/commit.ts", "model/uncommon.ts", "model/event-types.ts", "proto/common.proto", "docs/types.md"].map(
      (path) => [path, { [path]: nothing }],
    ),
  ),
});

proveLaw({
  law: noEmptyCatch,
  caught: at("test/a.ts", [
    `try { a(); } catch {}`,
    `try { a(); } catch (error) {\n}`,
    `a().catch(() => {});`,
    `a().then(b).catch(function () {});`,
  ]),
  spared: at("test/a.ts", [
    `try { a(); } catch { b(); }`,
    `try { a(); } catch {\n  // Gone already: that is what was wanted.\n}`,
    `a().catch(() => undefined);`,
    `a().catch(() => { /* The reason was reported by the sender. */ });`,
    `a().then(() => {});`,
  ]),
});

const longFile = "export const a = 1;\n".repeat(fileLinesMax + 1);
const longestFile = `${"export const a = 1;\n".repeat(fileLinesMax - 1)}export const b = 1;`;
const body = (lines: number): string => "  a();\n".repeat(lines - 2);
const longFunction = `export function load() {\n${body(functionLinesMax + 1)}}\n`;
proveLaw({
  law: sizeLaw(sizeAllowances),
  caught: {
    "a long file": { "model/a.ts": longFile },
    "a long test": { "model/a.test.ts": longFile },
    "a long C++ file": { "dataplane/native/a.cc": longFile },
    "a long function": { "model/a.ts": longFunction },
    "a long arrow function": { "model/a.ts": `const load = () => {\n${body(functionLinesMax + 1)}};\n` },
    "a long method": { "model/a.ts": `class A {\nload() {\n${body(functionLinesMax + 1)}}\n}\n` },
  },
  spared: {
    "a file at the limit": { "model/a.ts": longestFile },
    "a function at the limit": { "model/a.ts": `export function load() {\n${body(functionLinesMax)}}\n` },
    "a long describe": { "test/a.test.ts": `describe("a", () => {\n${body(functionLinesMax + 1)}});\n` },
    "long prose": { "docs/a.md": longFile },
  },
});

describe("allowances", () => {
  const tree = [{ path: "model/a.ts", text: longFunction }];
  const allow = (what: string, reason = "One table, read from top to bottom.") => [{ what, reason }];

  it.each([
    ["the function that needs it", allow("model/a.ts#load"), 0, 0],
    ["nothing", [], 1, 0],
    ["the file, which is short", allow("model/a.ts"), 1, 1],
    ["a function that is gone", allow("model/a.ts#store"), 1, 1],
    ["the function, without a reason", allow("model/a.ts#load", " "), 0, 1],
  ])("one for %s", (_, allowances, tooBig, notNeeded) => {
    expect(sizeLaw(allowances).check(tree)).toHaveLength(tooBig);
    expect(allowancesLaw(allowances).check(tree)).toHaveLength(notNeeded);
  });

  it("the repository's are needed", () => {
    expect(allowancesLaw(sizeAllowances).check(repository)).toEqual([]);
  });
});
