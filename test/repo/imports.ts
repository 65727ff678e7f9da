import { isBuiltin } from "node:module";
import { posix } from "node:path";
import type { Node } from "oxc-parser";
import { lineAt, walk } from "./syntax.ts";
import type { SourceFile } from "./tree.ts";

/** One import in a file: static, `export … from`, dynamic, `import("…")` in a type, or `require` of a literal. */
export interface Import {
  readonly line: number;
  /**
   * What it names: a path from the root (`model/digest.ts`), a package (`npm:nats`, `npm:@noble/hashes/sha2.js`), a part of
   * Node (`node:fs`), or undefined where the target is computed, and so can't be known from the text.
   */
  readonly target: string | undefined;
}

export function importsOf(file: SourceFile): readonly Import[] {
  const imports: Import[] = [];
  walk(file, (node) => {
    const source = sourceOf(node);
    if (source === undefined) return;
    const specifier = source.type === "Literal" && typeof source.value === "string" ? source.value : undefined;
    const target = specifier === undefined ? undefined : targetOf(file.path, specifier);
    imports.push({ line: lineAt(file, node.start), target });
  });
  return imports;
}

/** The expression that names the module, if the node imports at all. */
function sourceOf(node: Node): Node | undefined {
  switch (node.type) {
    case "ImportDeclaration":
    case "ExportAllDeclaration":
    case "ImportExpression":
    case "TSImportType":
      return node.source;
    case "ExportNamedDeclaration":
      return node.source ?? undefined;
    case "TSExternalModuleReference":
      return node.expression;
    case "CallExpression":
      return node.callee.type === "Identifier" && node.callee.name === "require" ? node.arguments[0] : undefined;
    default:
      return undefined;
  }
}

function targetOf(importer: string, specifier: string): string {
  if (specifier.startsWith(".")) return posix.join(posix.dirname(importer), specifier);
  if (isBuiltin(specifier)) return specifier.startsWith("node:") ? specifier : `node:${specifier}`;
  return `npm:${specifier}`;
}
