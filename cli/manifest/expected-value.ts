import { ScalarType } from "@bufbuild/protobuf";
import type { DescMessage } from "@bufbuild/protobuf";
import type { ManifestNode } from "./manifest-node.ts";
import type { ValueShape } from "./value-shape.ts";

const scalarText: Partial<Record<ScalarType, string>> = {
  [ScalarType.STRING]: "text",
  [ScalarType.BOOL]: "true or false",
  [ScalarType.INT32]: "a whole number from -2147483648 to 2147483647",
  [ScalarType.UINT32]: "a whole number from 0 to 4294967295",
  [ScalarType.INT64]: "a whole number of 64 bits",
  [ScalarType.UINT64]: "a whole number of 64 bits, not negative",
  [ScalarType.DOUBLE]: "a number",
  [ScalarType.FLOAT]: "a number",
  [ScalarType.BYTES]: "base64 text",
};

/** What a value should have been, after "must be". */
export function expectedOf(shape: ValueShape): string {
  switch (shape.kind) {
    case "scalar":
      return scalarText[shape.scalar] ?? `a ${ScalarType[shape.scalar].toLowerCase()}`;
    case "enum": {
      const names = shape.enum.values.filter(({ number }) => number !== 0).map(({ name }) => name);
      return names.length === 1 ? String(names[0]) : `one of ${names.join(", ")}`;
    }
    case "message":
      return shape.message.typeName === "google.protobuf.Duration"
        ? "a duration in seconds, such as 5s or 0.25s"
        : `a ${shape.message.typeName}`;
  }
}

const valueTextMax = 60;

/** What stands there instead, after "not". */
export function valueText(node: ManifestNode): string {
  if (node.kind === "map" || node.kind === "list") return `a ${node.kind}`;
  if (node.kind === "refused") return "what is there";
  if (typeof node.value === "string") {
    const text = node.value.length > valueTextMax ? `${node.value.slice(0, valueTextMax)}...` : node.value;
    return `the text ${JSON.stringify(text)}`;
  }
  return node.value === undefined ? "nothing" : String(node.value);
}

/**
 * The JSON form of a duration, to its end: digits, up to nine after the point, `s`. The library (2.17) also takes
 * `5seconds`, and throws a RangeError at ten digits.
 */
export function durationIsExact(message: DescMessage, value: string | number | boolean): boolean {
  if (message.typeName !== "google.protobuf.Duration") return true;
  return typeof value === "string" && /^-?\d+(?:\.\d{1,9})?s$/.test(value);
}
