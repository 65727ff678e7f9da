import type { ManifestNode } from "./manifest-node.ts";

/**
 * Follows a path of field names and `[index]` segments from a node as far as the file goes. The offset is that of the
 * last field that is written down; what is missing keeps the path's own spelling.
 */
export function locateField(
  node: ManifestNode,
  segments: readonly string[],
): { readonly offset: number; readonly path: string } {
  let here: ManifestNode | undefined = node;
  let { offset } = node;
  let path = "";
  for (const segment of segments) {
    const index = /^\[(\d+)\]$/.exec(segment);
    if (index !== null) {
      here = here?.kind === "list" ? here.items[Number(index[1])] : undefined;
      offset = here?.offset ?? offset;
      path += segment;
      continue;
    }
    const entry: { key: string | undefined; offset: number; value: ManifestNode } | undefined =
      here?.kind === "map" ? here.entries.find(({ key }) => key !== undefined && sameField(key, segment)) : undefined;
    here = entry?.value;
    // A single value is what is wrong; of a map or a list, the name says more than its first line.
    if (entry !== undefined) offset = entry.value.kind === "scalar" ? entry.value.offset : entry.offset;
    path += `${path === "" ? "" : "."}${entry?.key ?? segment}`;
  }
  return { offset, path };
}

/** `server_names` and `serverNames` are one field. */
function sameField(left: string, right: string): boolean {
  return left.replaceAll("_", "").toLowerCase() === right.replaceAll("_", "").toLowerCase();
}
