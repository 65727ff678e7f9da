/** Why a field is refused; the same word in the API's error details and in the tests. */
export type ViolationReason =
  | "required"
  | "malformed"
  | "out_of_range"
  | "too_many"
  | "duplicate"
  | "unknown_field"
  /** It names a resource that does not exist. */
  | "unknown_reference"
  /** It would tie, or collide, with another resource. */
  | "conflict"
  /** Something else still needs what would go away. */
  | "in_use";

/** One thing that is wrong with a command, at one field. */
export interface Violation {
  /** Path in the request, in the proto's field names: `resources[3].route.match.server_names[0]`. */
  readonly field: string;
  readonly reason: ViolationReason;
  /** A sentence for the operator. */
  readonly description: string;
}
