import type { JsonValue } from "@bufbuild/protobuf";
import { Document, Scalar } from "yaml";
import { isSafe, safeDocument } from "./safe-text.ts";

/** A value as YAML, block style, lines never folded, ending with a line break. */
export function yamlText(value: JsonValue): string {
  const document = new Document(quoteUnsafe(value), { aliasDuplicateObjects: false });
  return safeDocument(document.toString({ lineWidth: 0 }));
}

/**
 * Strings with characters that must not reach a terminal are put between double quotes, where YAML knows the escapes
 * that {@link safeDocument} then writes.
 */
function quoteUnsafe(value: JsonValue): unknown {
  if (typeof value === "string") return isSafe(value) ? value : quoted(value);
  if (Array.isArray(value)) return value.map(quoteUnsafe);
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(value).map(
    ([key, inner]) => [isSafe(key) ? key : quoted(key), quoteUnsafe(inner)] as const,
  );
  return new Map(entries);
}

function quoted(text: string): Scalar {
  const scalar = new Scalar(text);
  scalar.type = Scalar.QUOTE_DOUBLE;
  return scalar;
}
