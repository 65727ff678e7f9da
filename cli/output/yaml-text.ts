import type { JsonValue } from "@bufbuild/protobuf";
import { safeDocument } from "./safe-text.ts";

/**
 * A JSON value as YAML in block style, ending with a line break. Lines are never folded; text is bare where every
 * reader of YAML 1.1 and 1.2 takes it for text, and a JSON string elsewhere, which YAML 1.2 reads as the same. The
 * `yaml` package would do too, but takes twenty times as long, which a hundred thousand routes show.
 */
export function yamlText(value: JsonValue): string {
  if (isEmpty(value) || !isNested(value)) return `${scalarText(value)}\n`;
  const lines: string[] = [];
  writeBlock(value, "", "", lines);
  return `${lines.join("\n")}\n`;
}

type Nested = JsonValue[] | { [key: string]: JsonValue };

/** Writes a list or a map that is not empty; `first` stands where the indentation of its first line would. */
function writeBlock(value: Nested, first: string, indent: string, lines: string[]): void {
  let lead = first;
  const entries = Array.isArray(value) ? value.map((item) => ["-", item] as const) : keyed(value);
  for (const [mark, inner] of entries) {
    if (isEmpty(inner) || !isNested(inner)) lines.push(`${lead}${mark} ${scalarText(inner)}`);
    else if (mark === "-") writeBlock(inner, `${lead}- `, `${indent}  `, lines);
    else {
      lines.push(`${lead}${mark}`);
      writeBlock(inner, `${indent}  `, `${indent}  `, lines);
    }
    lead = indent;
  }
}

function keyed(value: { [key: string]: JsonValue }): (readonly [string, JsonValue])[] {
  return Object.entries(value).map(([key, inner]) => [`${scalarText(key)}:`, inner] as const);
}

function isNested(value: JsonValue): value is Nested {
  return typeof value === "object" && value !== null;
}

function isEmpty(value: JsonValue): boolean {
  return isNested(value) && Object.keys(value).length === 0;
}

/** Names, words, paths and durations. */
const bare = /^(?:[A-Za-z][\w./-]*|\d+(?:\.\d+)?s)$/;
/** Words that one YAML or another takes for something else than text; a YAML 1.1 reader took `e0` for a number. */
const reserved = /^(?:true|false|null|yes|no|on|off|y|n|nan|inf|e\d+)$/i;

function scalarText(value: JsonValue): string {
  if (typeof value === "string" && bare.test(value) && !reserved.test(value)) return value;
  return safeDocument(JSON.stringify(value));
}
