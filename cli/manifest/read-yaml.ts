import { Composer, Parser, isAlias, isMap, isScalar, isSeq } from "yaml";
import type { Node, Pair, Scalar } from "yaml";
import type { Fault, ManifestEntry, ManifestNode } from "./manifest-node.ts";
import { nestingMax } from "./manifest-node.ts";

/**
 * How many nodes the aliases of a file may stand for in all. Aliases of aliases multiply: nine lines can stand for a
 * thousand million nodes (the "billion laughs" attack), so the sum is taken before anything is expanded.
 */
export const aliasedNodesMax = 100_000;

/** Reads YAML 1.2 (core schema): one node for each document that is not empty, and every fault of the text. */
export function readYaml(text: string): { readonly documents: readonly ManifestNode[]; readonly faults: Fault[] } {
  const faults: Fault[] = [];
  const documents: ManifestNode[] = [];
  // Duplicate keys are the message reader's business; the library's own check takes quadratic time.
  const options = { schema: "core", uniqueKeys: false, prettyErrors: false, logLevel: "silent" } as const;
  // One document at a time: the library's tree of a text takes a hundred times the text's memory.
  for (const document of new Composer(options).compose(new Parser().parse(text))) {
    for (const { pos, message } of [...document.errors, ...document.warnings])
      faults.push({ offset: pos[0], path: "", message: syntaxMessage(message) });
    if (document.errors.length > 0 || document.contents === null) continue;
    const reader = new YamlTree(faults);
    const root = reader.node(document.contents, 0).node;
    if (root.kind !== "scalar" || root.value !== undefined) documents.push(root);
  }
  return { documents, faults };
}

/** The library reports its own stack's overflow as an error of the file, in V8's words. */
function syntaxMessage(message: string): string {
  return message.startsWith("Maximum call stack") ? nestingFault : message;
}

const nestingFault = `nested deeper than ${nestingMax} levels`;

/** A node, and how many nodes it stands for, itself included. */
interface Sized {
  readonly node: ManifestNode;
  readonly size: number;
}

/** One document. Anchors hold from where they stand to the next of their name (YAML 1.2.2 section 3.2.2.2). */
class YamlTree {
  readonly #faults: Fault[];
  readonly #anchors = new Map<string, Sized | "open">();
  #aliased = 0;

  constructor(faults: Fault[]) {
    this.#faults = faults;
  }

  node(source: unknown, depth: number): Sized {
    if (isAlias(source)) return this.#alias(source.source, offsetOf(source));
    const node = source as Node & { anchor?: string };
    const { anchor } = node;
    if (anchor !== undefined) this.#anchors.set(anchor, "open");
    const sized = this.#plain(node, depth);
    if (anchor !== undefined) this.#anchors.set(anchor, sized);
    return sized;
  }

  #plain(source: Node, depth: number): Sized {
    const offset = offsetOf(source);
    if (depth > nestingMax) return this.#refuse(offset, nestingFault);
    if (isMap(source)) return this.#map(source.items, offset, depth);
    if (isSeq(source)) {
      const items = source.items.map((item) => this.node(item, depth + 1));
      return { node: { kind: "list", offset, items: items.map(({ node }) => node) }, size: total(items) };
    }
    return isScalar(source) ? this.#scalar(source, offset) : this.#refuse(offset, "not a map, a list or a value");
  }

  #map(pairs: readonly Pair[], offset: number, depth: number): Sized {
    const entries: ManifestEntry[] = [];
    const sizes: Sized[] = [];
    for (const { key, value } of pairs) {
      const keyOffset = key === null ? offset : offsetOf(key as Node);
      const sized: Sized = value === null ? { node: emptyAt(keyOffset), size: 1 } : this.node(value, depth + 1);
      sizes.push(sized);
      const name = isScalar(key) && typeof key.value === "string" ? key.value : undefined;
      entries.push({ key: name, offset: keyOffset, value: sized.node });
    }
    return { node: { kind: "map", offset, entries }, size: total(sizes) };
  }

  #scalar(source: Scalar, offset: number): Sized {
    const { value } = source;
    if (value === null && source.source === "" && source.type === "PLAIN") return { node: emptyAt(offset), size: 1 };
    if (value !== null && typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean")
      return this.#refuse(offset, "a value of a type that protobuf JSON does not have");
    return { node: { kind: "scalar", offset, value }, size: 1 };
  }

  #alias(name: string, offset: number): Sized {
    const target = this.#anchors.get(name);
    if (target === undefined) return this.#refuse(offset, `unknown alias *${name}`);
    if (target === "open") return this.#refuse(offset, `alias *${name} stands inside of its own anchor`);
    this.#aliased += target.size;
    if (this.#aliased > aliasedNodesMax)
      return this.#refuse(offset, `the aliases of this file stand for more than ${aliasedNodesMax} nodes`);
    return target;
  }

  #refuse(offset: number, message: string): Sized {
    this.#faults.push({ offset, path: "", message });
    return { node: { kind: "refused", offset }, size: 1 };
  }
}

function emptyAt(offset: number): ManifestNode {
  return { kind: "scalar", offset, value: undefined };
}

function total(parts: readonly Sized[]): number {
  return parts.reduce((sum, { size }) => sum + size, 1);
}

function offsetOf(node: Node): number {
  return node.range?.[0] ?? 0;
}
