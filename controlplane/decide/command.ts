import type { ResourceSet } from "../../model/difference.ts";
import type { ResourceName } from "../../model/resource-name.ts";
import type { Resource } from "../../model/resource.ts";
import type { Violation } from "../../model/violation.ts";

/** A resource that a command wants, and where it stands in the request. */
export interface Wish {
  readonly resource: Resource;
  /** Path of the resource's message in the request, for violations: `farm`, `resources[3].farm`. */
  readonly path: string;
  /** The etag that the stored resource must have; empty for any. */
  readonly etag: string;
}

/** What an operator asks for. */
export type Command =
  | { readonly type: "create"; readonly wish: Wish }
  | { readonly type: "update"; readonly wish: Wish }
  /** `force` also deletes what is inside: a listener's routes, a farm's servers. */
  | { readonly type: "delete"; readonly name: ResourceName; readonly etag: string; readonly force: boolean }
  /** `prune` also deletes every resource that is not wished for. */
  | { readonly type: "apply"; readonly wishes: readonly Wish[]; readonly prune: boolean }
  /** Makes the configuration what `target` is. */
  | { readonly type: "revert"; readonly target: ResourceSet };

/** Why a command is refused as a whole. */
export type RefusalReason =
  /** A field can't be taken, whatever the configuration is. */
  | "INVALID_FIELD"
  /** It does not fit the configuration as it is: references, conflicts, things in use. */
  | "CONFIGURATION_CONFLICT"
  | "NOT_FOUND"
  | "ALREADY_EXISTS"
  /** The stored resource is not the one that the client saw. */
  | "ETAG_MISMATCH";

export interface Refusal {
  readonly refused: RefusalReason;
  readonly violations: readonly Violation[];
}
