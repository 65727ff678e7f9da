import type { Node } from "oxc-parser";
import { matches, pureFolders } from "./import-rules.ts";
import { importsOf } from "./imports.ts";
import { lawPerFile, type Violation } from "./law.ts";
import { dottedName, lineAt, walk } from "./syntax.ts";
import { isScript, isTest } from "./tree.ts";

/** Names from outside the language that a pure folder may not say, for what they read or do. */
const impureNames = new Set([
  "process",
  "performance",
  "globalThis",
  "console",
  "crypto",
  "fetch",
  "setTimeout",
  "setInterval",
  "setImmediate",
  "queueMicrotask",
  "Promise",
]);
const impureMembers = new Set(["Date.now", "Math.random"]);

/** Their results depend on their input alone, so that a node is a function of the log, and replay gives the same. */
export const pureFoldersArePure = lawPerFile(
  "Pure folders have no Node, clock, randomness, process or async.",
  (file) => {
    if (!isScript(file) || isTest(file) || !matches(file.path, pureFolders)) return [];
    const violations: Violation[] = importsOf(file)
      .filter(({ target }) => target?.startsWith("node:"))
      .map(({ line, target }) => ({ path: file.path, line, says: `imports ${target}` }));
    walk(file, (node, parents) => {
      const impurity = impurityOf(node, parents.at(-1));
      if (impurity !== undefined) violations.push({ path: file.path, line: lineAt(file, node.start), says: impurity });
    });
    return violations;
  },
);

function impurityOf(node: Node, parent: Node | undefined): string | undefined {
  switch (node.type) {
    case "FunctionDeclaration":
    case "FunctionExpression":
    case "ArrowFunctionExpression":
      return node.async ? "an async function" : undefined;
    case "AwaitExpression":
      return "await";
    case "ForOfStatement":
      return node.await ? "for await" : undefined;
    case "MemberExpression": {
      const name = dottedName(node).join(".");
      return impureMembers.has(name) ? name : undefined;
    }
    case "NewExpression":
    case "CallExpression":
      return readsTheClock(node) ? "the clock, through Date" : undefined;
    case "Identifier":
      return impureNames.has(node.name) && isValue(node, parent) ? node.name : undefined;
    default:
      return undefined;
  }
}

/** `new Date(ms)` only converts; `new Date()` and `Date()` ask what time it is. */
function readsTheClock(node: Extract<Node, { type: "NewExpression" | "CallExpression" }>): boolean {
  if (node.callee.type !== "Identifier" || node.callee.name !== "Date") return false;
  return node.type === "CallExpression" || node.arguments.length === 0;
}

/** Whether an identifier stands for a value: not `x.process`, not `{ process: 1 }`, not a name in a type. */
function isValue(node: Node, parent: Node | undefined): boolean {
  switch (parent?.type) {
    case "MemberExpression":
      return parent.computed || parent.object === node;
    case "Property":
      return parent.computed || parent.value === node;
    case "PropertyDefinition":
    case "MethodDefinition":
      return parent.computed;
    case "TSTypeReference":
    case "TSQualifiedName":
    case "TSPropertySignature":
    case "TSMethodSignature":
      return false;
    default:
      return true;
  }
}
