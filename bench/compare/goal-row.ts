/** A goal with what was found. */
export interface GoalRow {
  readonly measure: string;
  readonly goal: string;
  /** Switchyard's figure, and the figure that it is held against, as text with their units. */
  readonly ours: string;
  readonly against: string;
  /** Ours to theirs, where the goal is a ratio. */
  readonly ratio?: number;
  readonly verdict: "met" | "not met" | "not measured";
  readonly note: string;
}
