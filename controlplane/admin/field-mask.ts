import { resourceFields } from "../../model/resource-fields.ts";
import type { ResourceKind } from "../../model/resource-name.ts";
import type { Resource as WireResource } from "../../proto/gen/switchyard/config/v1/resources.ts";
import type { Violation } from "../../model/violation.ts";

type Kind = NonNullable<WireResource["kind"]>;
type Fields = Record<string, unknown>;

/**
 * What an update with a mask asks for (AIP-134, AIP-161): the stored message, with the fields that the mask names taken
 * from the request's. An empty mask, or `*`, takes all of them. A path that names no field is refused.
 */
export function mergeByMask(stored: Kind, request: Kind, paths: readonly string[], violations: Violation[]): Kind {
  if (paths.length === 0 || paths.includes("*")) return request;
  const merged = structuredClone(stored.value) as unknown as Fields;
  const source = request.value as unknown as Fields;
  const known = resourceFields[stored.$case as ResourceKind].map((field) => field.path);
  for (const [index, path] of paths.entries()) {
    const named = known.filter((each) => each === path || each.startsWith(`${path}.`));
    if (named.length === 0) {
      const description = `${JSON.stringify(path.slice(0, 80))} is no field of a ${stored.$case}: ${known.join(", ")}`;
      violations.push({ field: `update_mask.paths[${index}]`, reason: "unknown_field", description });
    }
    for (const each of named) copy(source, merged, each.split(".").map(camel));
  }
  return { $case: stored.$case, value: merged } as unknown as Kind;
}

/** Copies one path; what the source does not have is unset in the target. */
function copy(source: Fields, target: Fields, path: readonly string[]): void {
  const [head, ...rest] = path;
  if (head === undefined) return;
  if (rest.length === 0) {
    target[head] = source[head];
    return;
  }
  const inner = (source[head] ?? {}) as Fields;
  target[head] = { ...(target[head] as Fields) };
  copy(inner, target[head] as Fields, rest);
}

function camel(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
