/** Who a node is: all that it depends on beside the log. */
export interface NodeIdentity {
  readonly id: string;
  /** Where it stands; empty for nowhere. */
  readonly region: string;
  readonly labels: Readonly<Record<string, string>>;
}
