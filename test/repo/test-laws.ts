import { type Law, lawPerFile, type Violation } from "./law.ts";
import { dottedName, lineAt, walk } from "./syntax.ts";
import { isScript, isTest } from "./tree.ts";

const testers = new Set(["it", "test", "describe", "suite", "bench"]);
const contexts = new Set(["context", "ctx", "task"]);
const leaveOut = new Set(["only", "skip", "todo", "skipIf", "runIf", "fails"]);
const leftOut = new Set(["xit", "xtest", "xdescribe", "fit", "fdescribe"]);

export const everyTestRuns: Law = lawPerFile("Every test runs, each time, and must pass.", (file) => {
  if (!isScript(file) || !isTest(file)) return [];
  const violations: Violation[] = [];
  const add = (offset: number, says: string): void => {
    violations.push({ path: file.path, line: lineAt(file, offset), says });
  };
  walk(file, (node) => {
    if (node.type === "MemberExpression") {
      const [first = "", ...rest] = dottedName(node);
      const last = rest.at(-1) ?? "";
      if (testers.has(first) && leaveOut.has(last)) add(node.start, `${first} … .${last}`);
      if (contexts.has(first) && last === "skip") add(node.start, `${first}.skip`);
    }
    if (node.type === "CallExpression" && node.callee.type === "Identifier" && leftOut.has(node.callee.name)) {
      add(node.start, node.callee.name);
    }
  });
  return violations;
});
