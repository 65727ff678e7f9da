/** What replicas say of the end of the log, each second. Times are milliseconds of any clock that does not go back. */
export class Beacons {
  readonly #freshMs: number;
  #heardAtMs: number | undefined;
  #furthest = 0;
  #furthestAtMs = Number.NEGATIVE_INFINITY;

  /** @param freshMs what was said longer ago counts no more */
  constructor(freshMs: number) {
    this.#freshMs = freshMs;
  }

  /** Of several replicas the furthest is right: one that lags must not vouch for a log that was cut off. */
  heard(revision: number, nowMs: number): void {
    this.#heardAtMs = nowMs;
    if (revision < this.#furthest && this.#isFresh(this.#furthestAtMs, nowMs)) return;
    this.#furthest = revision;
    this.#furthestAtMs = nowMs;
  }

  /** Whether any replica was heard lately. */
  isFresh(nowMs: number): boolean {
    return this.#heardAtMs !== undefined && this.#isFresh(this.#heardAtMs, nowMs);
  }

  /** The furthest revision that a replica said lately; undefined where none was heard. */
  furthest(nowMs: number): number | undefined {
    return this.#isFresh(this.#furthestAtMs, nowMs) ? this.#furthest : undefined;
  }

  #isFresh(atMs: number, nowMs: number): boolean {
    return nowMs - atMs < this.#freshMs;
  }
}
