import type { Node } from "oxc-parser";
import { matches } from "./import-rules.ts";
import { type Law, lawPerFile, type Violation } from "./law.ts";
import { hasComment, lineAt, syntaxOf, walk } from "./syntax.ts";
import { isScript } from "./tree.ts";

/** Tools demand them of their configuration files. */
const mayExportDefault = ["*.config.ts"];

export const noDefaultExports: Law = lawPerFile(
  "Exports have names: the same thing is called the same everywhere.",
  (file) => {
    if (!isScript(file) || matches(file.path, mayExportDefault)) return [];
    const violations: Violation[] = [];
    walk(file, (node) => {
      const isDefault =
        node.type === "ExportDefaultDeclaration" ||
        (node.type === "ExportSpecifier" && node.exported.type === "Identifier" && node.exported.name === "default");
      if (isDefault) violations.push({ path: file.path, line: lineAt(file, node.start), says: "a default export" });
    });
    return violations;
  },
);

/** A barrel hides where things live, makes cycles, and loads everything for the sake of one name. */
export const noBarrels: Law = lawPerFile("A file is more than a list of other files' exports.", (file) => {
  const { program } = isScript(file) ? syntaxOf(file) : { program: undefined };
  if (program?.type !== "Program") return [];
  const passesOn = (node: Node): boolean =>
    node.type === "ExportAllDeclaration" || (node.type === "ExportNamedDeclaration" && node.declaration === null);
  const isBarrel =
    program.body.some(passesOn) && program.body.every((node) => passesOn(node) || node.type === "ImportDeclaration");
  return isBarrel ? [{ path: file.path, line: 1, says: "only passes on what others export" }] : [];
});

const vagueName =
  /(^|[/.-])(utils?|helpers?|common|misc|shared)\.(ts|mjs|js)$|(^|\/)(types|constants|index)\.(ts|mjs|js)$/;

export const filesAreNamedForWhatTheyHold: Law = lawPerFile(
  "A file is named for the one thing that it holds.",
  (file) => (vagueName.test(file.path) ? [{ path: file.path, line: 1, says: "a name that says nothing" }] : []),
);

/** A comment that says why makes it a decision. `.catch(() => {})` is the same thing. */
export const noEmptyCatch: Law = lawPerFile("No error is dropped without a word.", (file) => {
  if (!isScript(file)) return [];
  const violations: Violation[] = [];
  walk(file, (node) => {
    const body = node.type === "CatchClause" ? node.body : rejectionHandlerOf(node);
    if (body?.type !== "BlockStatement" || body.body.length > 0 || hasComment(file, body.start, body.end)) return;
    violations.push({ path: file.path, line: lineAt(file, body.start), says: "an empty catch" });
  });
  return violations;
});

function rejectionHandlerOf(node: Node): Node | undefined {
  if (node.type !== "CallExpression" || node.callee.type !== "MemberExpression") return undefined;
  const { property } = node.callee;
  if (property.type !== "Identifier" || property.name !== "catch") return undefined;
  const [handler] = node.arguments;
  if (handler?.type !== "ArrowFunctionExpression" && handler?.type !== "FunctionExpression") return undefined;
  return handler.body ?? undefined;
}
