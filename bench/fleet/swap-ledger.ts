/** When each of a process's followers had its table at each revision. */
export class SwapLedger {
  /** By follower: the revision that its table is at. */
  readonly #at: number[];
  readonly #times = new Map<number, number[]>();
  readonly #onAll: (revision: number, timesMs: readonly number[]) => void;

  /** `onAll` hears of a revision once every follower has reached it, with the time of each, in order of arrival. */
  constructor(followers: number, onAll: (revision: number, timesMs: readonly number[]) => void) {
    this.#at = Array.from({ length: followers }, () => 0);
    this.#onAll = onAll;
  }

  /** A follower that skips revisions, by a snapshot, has reached them all. */
  swapped(follower: number, revision: number, atMs: number): void {
    for (let reached = (this.#at[follower] as number) + 1; reached <= revision; reached += 1) {
      const times = this.#times.get(reached) ?? [];
      this.#times.set(reached, times);
      times.push(atMs);
      if (times.length < this.#at.length) continue;
      this.#times.delete(reached);
      this.#onAll(reached, times);
    }
    this.#at[follower] = Math.max(this.#at[follower] as number, revision);
  }
}
