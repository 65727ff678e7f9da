import { type Comment, type Node, parseSync, visitorKeys } from "oxc-parser";
import type { SourceFile } from "./tree.ts";

/** A parsed file: its syntax tree (TS-ESTree) and its comments. */
export interface Syntax {
  readonly program: Node;
  readonly comments: readonly Comment[];
}

const parsed = new WeakMap<SourceFile, Syntax>();

/** Parses a file once. Throws on a file that is not TypeScript: nothing can be said of its laws. */
export function syntaxOf(file: SourceFile): Syntax {
  const known = parsed.get(file);
  if (known !== undefined) return known;
  const { program, comments, errors } = parseSync(file.path, file.text);
  const [error] = errors;
  if (error !== undefined) throw new Error(`${file.path}: ${error.message}`);
  const syntax = { program, comments };
  parsed.set(file, syntax);
  return syntax;
}

/** Visits every node of a file, parents before children, with the parents, nearest last. */
export function walk(file: SourceFile, visit: (node: Node, parents: readonly Node[]) => void): void {
  const parents: Node[] = [];
  const descend = (node: Node): void => {
    visit(node, parents);
    parents.push(node);
    for (const key of visitorKeys[node.type] ?? []) {
      const child: unknown = Reflect.get(node, key);
      for (const each of Array.isArray(child) ? child : [child]) if (isNode(each)) descend(each);
    }
    parents.pop();
  };
  descend(syntaxOf(file).program);
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value;
}

/** The line, from 1, of an offset in a file's text. */
export function lineAt(file: SourceFile, offset: number): number {
  let line = 1;
  for (let at = file.text.indexOf("\n"); at !== -1 && at < offset; at = file.text.indexOf("\n", at + 1)) line += 1;
  return line;
}

/** Whether a file has a comment between two offsets. */
export function hasComment(file: SourceFile, start: number, end: number): boolean {
  return syntaxOf(file).comments.some((comment) => comment.start >= start && comment.end <= end);
}

/**
 * The words of a dotted name: `it.only` is `["it", "only"]`, `describe.skip.each(table)` is
 * `["describe", "skip", "each"]`. Empty for what does not begin with a name.
 */
export function dottedName(node: Node): readonly string[] {
  if (node.type === "Identifier") return [node.name];
  if (node.type === "CallExpression") return dottedName(node.callee);
  if (node.type !== "MemberExpression") return [];
  const object = dottedName(node.object);
  const { property } = node;
  if (object.length === 0) return [];
  if (node.computed) return property.type === "Literal" ? [...object, String(property.value)] : object;
  return property.type === "Identifier" ? [...object, property.name] : object;
}
