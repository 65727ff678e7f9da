import type { DescEnum, DescMessage, ScalarType } from "@bufbuild/protobuf";

/** What one value of a field is: the field itself where it is singular, an element of it where it is a list or a map. */
export type ValueShape =
  | { readonly kind: "scalar"; readonly scalar: ScalarType }
  | { readonly kind: "enum"; readonly enum: DescEnum }
  | { readonly kind: "message"; readonly message: DescMessage };

/** The shape of a list's or a map's values. */
export function shapeOf(
  kind: "scalar" | "enum" | "message",
  field: {
    readonly scalar?: ScalarType | undefined;
    readonly enum?: DescEnum | undefined;
    readonly message?: DescMessage | undefined;
  },
): ValueShape {
  if (kind === "scalar" && field.scalar !== undefined) return { kind, scalar: field.scalar };
  if (kind === "enum" && field.enum !== undefined) return { kind, enum: field.enum };
  if (kind === "message" && field.message !== undefined) return { kind, message: field.message };
  throw new TypeError(`a field of ${kind}s without its type`);
}

/** Messages with a JSON form of their own, such as durations. */
export function isWellKnown(message: DescMessage): boolean {
  return message.typeName.startsWith("google.protobuf.");
}
