import { lockIsComplete } from "./lock-law.ts";
import { type Plant, proveLaw } from "./prove-law.ts";
import { foldersExplainThemselves } from "./readme-law.ts";
import { everyTestRuns } from "./test-laws.ts";
import { filesEndWithALineFeed, linesEndClean, noRegistryIsNamed, nothingIsPutOff } from "./text-laws.ts";

function at(path: string, texts: readonly string[]): Readonly<Record<string, Plant>> {
  return Object.fromEntries(texts.map((text) => [JSON.stringify(text), { [path]: text }]));
}

proveLaw({
  law: everyTestRuns,
  caught: {
    ...at("model/a.test.ts", [
      `it.only("a", () => {});`,
      `it.skip("a", () => {});`,
      `it.todo("a");`,
      `it.fails("a", () => {});`,
      `test.skipIf(true)("a", () => {});`,
      `describe.runIf(false)("a", () => {});`,
      `describe.concurrent.only("a", () => {});`,
      `describe.skip.each([1])("a", () => {});`,
      `it["skip"]("a", () => {});`,
      `it("a", (context) => { context.skip(); });`,
      `xit("a", () => {});`,
    ]),
    "a suite under test/": { "test/contract/log.ts": `export const suite = () => describe.skip("a", () => {});` },
  },
  spared: at("model/a.test.ts", [
    `it("skip", () => { list.skip(1); });`,
    `it.each([1])("only %s", () => {});`,
    `expect(parser.only).toBe(true);`,
    `// it.skip("a")`,
  ]),
});

// The words are put together here, for this file is held to the law too.
const later = ["TO", "DO"].join("");
const broken = ["FIX", "ME"].join("");
proveLaw({
  law: nothingIsPutOff,
  caught: {
    ...at("model/a.ts", [`// ${later}: finish\n`, `const a = 1; // ${broken}\n`]),
    prose: { "docs/a.md": `One\n- ${later}(me)\n` },
  },
  spared: at("model/a.ts", [`// The ${later.toLowerCase()} list of a test runner.\n`, `const ${later}S = 1;\n`]),
});

proveLaw({
  law: linesEndClean,
  caught: at("docs/a.md", ["one \ntwo\n", "one\t\n", "one\r\ntwo\r\n", "one  \n"]),
  spared: { ...at("docs/a.md", ["one\n\n  two\n"]), "recorded bytes": { "test/corpus/a.hex": "16 03 01 \n" } },
});

proveLaw({
  law: filesEndWithALineFeed,
  caught: at("docs/a.md", ["one", "one\n\n", "\n"]),
  spared: at("docs/a.md", ["", "one\n", "one\n\ntwo\n"]),
});

const host = (...labels: readonly string[]): string => labels.join(".");
proveLaw({
  law: noRegistryIsNamed,
  caught: {
    "a source": { "model/a.ts": `// see ${host("registry", "npmjs", "org")}\n` },
    "the lock file": {
      "package-lock.json": `{\n      ${["", "resolved", ": "].join('"')}"https://mirror.test/a.tgz"\n}\n`,
    },
    "npm's settings": { ".npmrc": ["registry", "https://mirror.test/\n"].join("=") },
    "npm's settings, for a scope": { ".npmrc": ["@a:registry", "https://mirror.test/\n"].join(" = ") },
    "a script": { "test/a.sh": `curl http://${host("deb", "debian", "org")}/debian\n` },
    another: { "docs/a.md": `pip install from ${host("pypi", "org")}\n` },
  },
  spared: {
    "a name that a user may route": { "examples/a.yaml": "serverNames: [registry.example.test]\n" },
    "a map called so": { "model/a.ts": "const theRegistry = new Map();\n" },
  },
});

const lines = (count: number): string => "One line.\n".repeat(count);
proveLaw({
  law: foldersExplainThemselves,
  caught: {
    "a folder without one": { "model/a.ts": "" },
    "a folder whose parent alone has one": { "model/README.md": lines(1), "model/wire/a.ts": "" },
    "a long one": { "model/a.ts": "", "model/README.md": lines(26) },
    "a folder of C++": { "dataplane/native/a.cc": "" },
  },
  spared: {
    "a short one": { "model/a.ts": "", "model/README.md": lines(25) },
    "a folder without sources": { "test/corpus/a.hex": "" },
    "what is not ours to explain": { "proto/gen/a.ts": "", "vitest.config.ts": "" },
  },
});

const lock = (packages: object): Plant => ({ "package-lock.json": JSON.stringify({ packages }) });
proveLaw({
  law: lockIsComplete,
  caught: {
    "a platform's package left out": lock({ "node_modules/a": { optionalDependencies: { "a-darwin": "1.0.0" } } }),
    "a direct dependency left out": lock({ "": { dependencies: { a: "^1.0.0" } } }),
    "only another version of it": lock({
      "node_modules/a": { optionalDependencies: { "a-linux": "1.0.0" } },
      "node_modules/a-linux": { version: "2.0.0" },
    }),
    "one that only another package can see": lock({
      "node_modules/a": { dependencies: { b: "^1.0.0" } },
      "node_modules/c/node_modules/b": { version: "1.0.0" },
    }),
  },
  spared: {
    "a package of its own, one beside, one farther out": lock({
      "": { dependencies: { a: "^1.0.0" } },
      "node_modules/a": {
        version: "1.0.0",
        optionalDependencies: { "a-linux": "1.0.0" },
        dependencies: { b: "^2.0.0" },
      },
      "node_modules/a/node_modules/a-linux": { version: "1.0.0", dependencies: { b: "^2.0.0", c: "^1.0.0" } },
      "node_modules/a/node_modules/b": { version: "2.0.0" },
      "node_modules/a-linux": { version: "2.0.0" },
      "node_modules/c": { version: "1.0.0" },
    }),
  },
});
