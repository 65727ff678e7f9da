import { lawPerFile, type Violation } from "./law.ts";
import { matches } from "./import-rules.ts";
import { importsOf } from "./imports.ts";
import { dottedName, lineAt, walk } from "./syntax.ts";
import { isScript, isTest } from "./tree.ts";

/** Where a process begins: a person, or another program, starts these files. */
const entrances = ["**/main.ts", "cli/**", "bench/**", "*.config.ts", "**/build.mjs"];
const ofTheProcess = new Set(["process.env", "process.argv", "process.exit", "process.exitCode", "process.chdir"]);

/** All else is handed what it needs, so that it can be tested, and so that a person can see what a process depends on. */
export const onlyEntrancesReadTheEnvironment = lawPerFile(
  "Only main.ts and the command line read the environment and end the process.",
  (file) => {
    if (!isScript(file) || isTest(file) || matches(file.path, entrances)) return [];
    const violations: Violation[] = importsOf(file)
      .filter(({ target }) => target === "node:process")
      .map(({ line }) => ({ path: file.path, line, says: "imports node:process" }));
    walk(file, (node) => {
      const line = lineAt(file, node.start);
      if (node.type === "MemberExpression") {
        const name = dottedName(node).slice(-2).join(".");
        if (ofTheProcess.has(name)) violations.push({ path: file.path, line, says: name });
      }
      // `const { env } = process` would read it unseen.
      if (node.type === "VariableDeclarator" && node.init?.type === "Identifier" && node.init.name === "process") {
        violations.push({ path: file.path, line, says: "takes process apart" });
      }
    });
    return violations;
  },
);
