/**
 * A manifest's text as a tree with places: what the YAML and the JSON reader both make of a file. Offsets are UTF-16
 * units from the start of the text. Maps keep their entries as written, duplicates too, so that these can be refused
 * with their places.
 */
export type ManifestNode = ManifestMap | ManifestList | ManifestScalar | RefusedNode;

export interface ManifestMap {
  readonly kind: "map";
  readonly offset: number;
  readonly entries: readonly ManifestEntry[];
}

export interface ManifestEntry {
  /** Undefined where the key is not text. */
  readonly key: string | undefined;
  readonly offset: number;
  readonly value: ManifestNode;
}

export interface ManifestList {
  readonly kind: "list";
  readonly offset: number;
  readonly items: readonly ManifestNode[];
}

export interface ManifestScalar {
  readonly kind: "scalar";
  readonly offset: number;
  /** Undefined where nothing is written at all (`farm:`), which is not the same as `null`. */
  readonly value: string | number | boolean | null | undefined;
}

/** What could not be read. Its fault has been told, and nobody need say more about it. */
export interface RefusedNode {
  readonly kind: "refused";
  readonly offset: number;
}

/** Something wrong at a place of one file. The path is that of a field, as the file spells it; empty above fields. */
export interface Fault {
  readonly offset: number;
  readonly path: string;
  readonly message: string;
}

/** How deep maps and lists may be nested: the API's messages need 6. */
export const nestingMax = 64;
