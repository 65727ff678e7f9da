import { ScalarType, fromJson } from "@bufbuild/protobuf";
import type { DescField, DescMessage, JsonObject, JsonValue } from "@bufbuild/protobuf";
import { closestName } from "./closest-name.ts";
import { durationIsExact, expectedOf, valueText } from "./expected-value.ts";
import type { Fault, ManifestEntry, ManifestMap, ManifestNode } from "./manifest-node.ts";
import { isWellKnown, shapeOf } from "./value-shape.ts";
import type { ValueShape } from "./value-shape.ts";

/**
 * Reads a tree as protobuf JSON (protobuf.dev/programming-guides/json), strictly, and says everything that is wrong
 * with it rather than the first thing. Field names may be in lowerCamelCase or as the .proto file has them.
 *
 * The answer is JSON that `fromJson` takes, or undefined where any fault was reported below this node.
 */
export class MessageReader {
  readonly #faults: Fault[];
  readonly #placeText: (offset: number) => string;

  /** `placeText` says where an offset is, for faults that name a second place. */
  constructor(faults: Fault[], placeText: (offset: number) => string) {
    this.#faults = faults;
    this.#placeText = placeText;
  }

  message(descriptor: DescMessage, node: ManifestNode, path: string): JsonObject | undefined {
    if (node.kind === "refused") return undefined;
    if (node.kind !== "map") return this.#refuse(node.offset, path, `must be a map of fields, not ${valueText(node)}`);
    const before = this.#faults.length;
    const json: JsonObject = {};
    const seen = new Map<DescField, ManifestEntry>();
    for (const entry of node.entries) {
      const field = this.#field(descriptor, entry, path, seen);
      if (field === undefined) continue;
      // An explicit null means that the field is not set, as protobuf JSON has it; nothing at all is an oversight.
      if (entry.value.kind === "scalar" && entry.value.value === null) continue;
      const value = this.#value(field, entry.value, join(path, entry.key ?? ""));
      if (value !== undefined) json[field.jsonName] = value;
    }
    return this.#faults.length === before ? json : undefined;
  }

  /** The field that a key names, unless it is unknown, set twice, or excluded by another of its oneof. */
  #field(
    descriptor: DescMessage,
    entry: ManifestEntry,
    path: string,
    seen: Map<DescField, ManifestEntry>,
  ): DescField | undefined {
    const { key, offset } = entry;
    if (key === undefined) return this.#refuse(offset, path, "a field's name must be text");
    const field = descriptor.fields.find(({ name, jsonName }) => key === jsonName || key === name);
    if (field === undefined) {
      const names = descriptor.fields.map(({ jsonName }) => jsonName);
      const closest = closestName(key, names);
      const advice = closest === undefined ? `known here are ${names.join(", ")}` : `did you mean ${closest}?`;
      return this.#refuse(offset, join(path, key), `unknown field; ${advice}`);
    }
    const twin = seen.get(field);
    if (twin !== undefined)
      return this.#refuse(offset, join(path, key), `already set at ${this.#placeText(twin.offset)}`);
    seen.set(field, entry);
    const rival = field.oneof?.fields.find((other) => other !== field && seen.has(other));
    if (rival !== undefined) {
      const names = field.oneof?.fields.map(({ jsonName }) => jsonName).join(", ");
      const place = this.#placeText(seen.get(rival)?.offset ?? offset);
      return this.#refuse(
        offset,
        join(path, key),
        `only one of ${names} may be set; ${rival.jsonName} is, at ${place}`,
      );
    }
    return field;
  }

  #value(field: DescField, node: ManifestNode, path: string): JsonValue | undefined {
    if (node.kind === "refused") return undefined;
    switch (field.fieldKind) {
      case "list":
        return this.#list(field, node, path);
      case "map":
        return this.#map(field, node, path);
      case "scalar":
        return this.#single(field, { kind: "scalar", scalar: field.scalar }, node, path);
      case "enum":
        return this.#single(field, { kind: "enum", enum: field.enum }, node, path);
      case "message":
        return this.#single(field, { kind: "message", message: field.message }, node, path);
    }
  }

  #list(field: DescField & { fieldKind: "list" }, node: ManifestNode, path: string): JsonValue | undefined {
    if (node.kind !== "list") return this.#refuse(node.offset, path, `must be a list, not ${valueText(node)}`);
    const shape = shapeOf(field.listKind, field);
    const values: JsonValue[] = [];
    for (const [index, item] of node.items.entries()) {
      const value = this.#single(field, shape, item, `${path}[${index}]`);
      if (value !== undefined) values.push(value);
    }
    return values;
  }

  #map(field: DescField & { fieldKind: "map" }, node: ManifestNode, path: string): JsonValue | undefined {
    if (node.kind !== "map") return this.#refuse(node.offset, path, `must be a map, not ${valueText(node)}`);
    const shape = shapeOf(field.mapKind, field);
    const values: JsonObject = {};
    for (const { key, offset, value } of (node satisfies ManifestMap).entries) {
      if (key === undefined) this.#refuse(offset, path, "a key must be text");
      else if (Object.hasOwn(values, key)) this.#refuse(offset, join(path, key), "this key is already set");
      else values[key] = this.#single(field, shape, value, join(path, key)) ?? null;
    }
    return values;
  }

  #single(field: DescField, shape: ValueShape, node: ManifestNode, path: string): JsonValue | undefined {
    if (node.kind === "refused") return undefined;
    if (node.kind === "scalar" && (node.value === undefined || node.value === null)) {
      const advice = shape.kind === "message" && !isWellKnown(shape.message) ? "; write {} for an empty one" : "";
      return this.#refuse(node.offset, path, `has no value${advice}`);
    }
    if (shape.kind === "message" && !isWellKnown(shape.message)) return this.message(shape.message, node, path);
    const { value } = node.kind === "scalar" ? node : { value: undefined };
    if (value === undefined || value === null || !isExact(field, shape, value))
      return this.#refuse(
        node.offset,
        path,
        `must be ${expectedOf(shape)}, not ${valueText(node)}${adviceOn(shape, value)}`,
      );
    return value;
  }

  #refuse(offset: number, path: string, message: string): undefined {
    this.#faults.push({ offset, path, message });
    return undefined;
  }
}

/** Whether the library takes this value for the field, and where it is laxer than the specification, whether we do. */
function isExact(field: DescField, shape: ValueShape, value: string | number | boolean): boolean {
  if (shape.kind === "scalar" && shape.scalar === ScalarType.STRING)
    return typeof value === "string" && !/\p{Cs}/u.test(value);
  // An open enum takes any number; one without a name is a slip of the pen.
  if (shape.kind === "enum" && typeof value === "number") return shape.enum.value[value] !== undefined;
  if (shape.kind === "message" && !durationIsExact(shape.message, value)) return false;
  const json = field.fieldKind === "list" ? [value] : field.fieldKind === "map" ? { key: value } : value;
  try {
    fromJson(field.parent, { [field.jsonName]: json });
    return true;
  } catch {
    // The library's words name types of the generator; `expectedOf` says the same to a person.
    return false;
  }
}

/** YAML takes `3`, `1.20` and `true` for what they look like, where a person may have meant text. */
function adviceOn(shape: ValueShape, value: string | number | boolean | null | undefined): string {
  const isText = shape.kind === "scalar" && shape.scalar === ScalarType.STRING;
  return isText && (typeof value === "number" || typeof value === "boolean") ? "; put it between quotes" : "";
}

function join(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}
