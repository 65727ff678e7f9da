import { type Position, sameBytes } from "../../model/commit.ts";

/**
 * What the node serves, and whether the history that it is being fed is known to be a continuation of that. A node never
 * changes over silently to another history: only to one that contains what it serves, or has a higher epoch, which
 * replicas begin when they have rebuilt the log and agreed.
 */
export class ServedHistory {
  #served: Position | undefined;
  #continued = true;
  /** Of the last position that was fed. */
  #fedRevision: number;

  /** @param start where the node stands when the feed begins: what it serves, from its cache, unless it has nothing */
  constructor(start: Position) {
    this.#served = start.revision > 0 ? start : undefined;
    this.#fedRevision = start.revision;
  }

  /** The node was fed up to here, or has gone back to here to start over. */
  at(position: Position): void {
    const startedOver = position.revision < this.#fedRevision;
    this.#fedRevision = position.revision;
    const served = this.#served;
    if (served === undefined) return;
    if (startedOver) this.#continued = false;
    if (position.epoch > served.epoch || isSame(position, served)) this.#continued = true;
    // What continues the served history while nothing is folded beside it is served at once.
    else if (this.#continued && position.revision > served.revision) this.#served = position;
  }

  /** Whether the node may take this for the log. */
  mayServe(position: Position): boolean {
    const served = this.#served;
    return served === undefined || this.#continued || position.epoch > served.epoch;
  }

  /** Whether a snapshot may replace what the node has: never with something older of the same history. */
  mayReplace(position: Position): boolean {
    const served = this.#served;
    if (served === undefined || position.epoch > served.epoch) return true;
    return this.#continued && position.revision >= served.revision;
  }

  /** What the log must have, for the node to follow it; undefined while anything will do. */
  get mustHave(): Position | undefined {
    return this.#served;
  }

  /**
   * The node goes on from a snapshot that is older than what it knew, of a log that was seen to have what it knew: it
   * is taken back to an old revision.
   */
  goesBackTo({ revision }: Position): void {
    this.#fedRevision = revision;
    this.#continued = true;
  }

  /** The node has been told that this is the log. */
  serves(position: Position): void {
    this.#served = position.revision > 0 ? position : this.#served;
    this.#fedRevision = position.revision;
    this.#continued = true;
  }
}

function isSame(left: Position, right: Position): boolean {
  return left.revision === right.revision && sameBytes(left.hash, right.hash);
}
