import type { Node } from "oxc-parser";
import { type Law, lawPerFile, type Violation } from "./law.ts";
import { lineAt, walk } from "./syntax.ts";
import { isScript, isTest, type SourceFile } from "./tree.ts";

/** Something that may be bigger than the law allows, and why. */
export interface SizeAllowance {
  /** `model/digest.ts` for a file, `model/digest.ts#fold` for a function in it. */
  readonly what: string;
  readonly reason: string;
}

export const fileLinesMax = 300;
export const functionLinesMax = 70;

/** In tests only files count: a `describe` is a function of any length. */
export function sizeLaw(allowances: readonly SizeAllowance[]): Law {
  const allowed = new Set(allowances.map(({ what }) => what));
  return lawPerFile(
    `A file of over ${fileLinesMax} lines, or a function of over ${functionLinesMax}, has a reason.`,
    (file) =>
      oversizesOf(file)
        .filter(({ what }) => !allowed.has(what))
        .map(({ violation }) => violation),
  );
}

/** An allowance ends with its need, or the next file of that name would inherit it. */
export function allowancesLaw(allowances: readonly SizeAllowance[]): Law {
  return {
    name: "An allowance to be big has a reason, and goes when it is needed no longer.",
    check: (files) => {
      const needed = new Set(files.flatMap(oversizesOf).map(({ what }) => what));
      return allowances
        .filter(({ what, reason }) => !needed.has(what) || reason.trim() === "")
        .map(({ what }) => ({
          path: "test/repo/size-allowances.ts",
          line: 1,
          says: `${what}: not needed, or no reason`,
        }));
    },
  };
}

interface Oversize {
  readonly what: string;
  readonly violation: Violation;
}

function oversizesOf(file: SourceFile): readonly Oversize[] {
  if (!/\.(ts|mjs|js|cc|cpp|h|sh)$/.test(file.path)) return [];
  const oversizes: Oversize[] = [];
  const lines = lineAt(file, file.text.length);
  if (lines > fileLinesMax) {
    oversizes.push({ what: file.path, violation: { path: file.path, line: 1, says: `${lines} lines` } });
  }
  if (!isScript(file) || isTest(file)) return oversizes;
  walk(file, (node, parents) => {
    if (!isFunction(node)) return;
    const line = lineAt(file, node.start);
    const length = lineAt(file, node.end) - line + 1;
    if (length <= functionLinesMax) return;
    const name = nameOf(node, parents.at(-1));
    const says = `${name} has ${length} lines`;
    oversizes.push({ what: `${file.path}#${name}`, violation: { path: file.path, line, says } });
  });
  return oversizes;
}

function isFunction(node: Node): boolean {
  return /^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node.type);
}

/** Its own name, or that of what holds it: `const name = () => …`, `name() { … }`. */
function nameOf(node: Node, parent: Node | undefined): string {
  if (node.type === "FunctionDeclaration" && node.id !== null) return node.id.name;
  const holder =
    parent?.type === "VariableDeclarator"
      ? parent.id
      : parent !== undefined && "key" in parent
        ? parent.key
        : undefined;
  return typeof holder === "object" && holder.type === "Identifier" ? holder.name : "anonymous";
}
