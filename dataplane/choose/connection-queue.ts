/** One that waits, between those that came before and after it. */
interface Waiting {
  readonly id: number;
  readonly deadlineMs: number;
  previous: Waiting | undefined;
  next: Waiting | undefined;
}

/**
 * Connections that wait for a server with room, first come first served. Pure: the clock and the farm's limits are its
 * owner's. Everything takes constant time, but for deadlines that come out of order, as they do for a while after a farm's
 * timeout was shortened.
 */
export class ConnectionQueue {
  readonly #waiting = new Map<number, Waiting>();
  #first: Waiting | undefined;
  #last: Waiting | undefined;
  /** Whether who came later gives up later, too. */
  #inOrder = true;

  get length(): number {
    return this.#waiting.size;
  }

  /** Who has waited longest; undefined for nobody. */
  get first(): number | undefined {
    return this.#first?.id;
  }

  /** In their turn. Who is removed meanwhile may still be told. */
  *ids(): Iterable<number> {
    for (const { id } of this.#inTurn()) yield id;
  }

  /** False for one that waits already, which keeps its place. */
  push(id: number, deadlineMs: number): boolean {
    if (this.#waiting.has(id)) return false;
    const last = this.#last;
    const waiting: Waiting = { id, deadlineMs, previous: last, next: undefined };
    if (last === undefined) {
      this.#first = waiting;
      this.#inOrder = true;
    } else {
      last.next = waiting;
      this.#inOrder &&= last.deadlineMs <= deadlineMs;
    }
    this.#last = waiting;
    this.#waiting.set(id, waiting);
    return true;
  }

  /** Takes out who has waited longest and has not reached its deadline; the others stay for {@link expired}. */
  shift(nowMs: number): number | undefined {
    for (const { id, deadlineMs } of this.#inTurn())
      if (deadlineMs > nowMs) {
        this.remove(id);
        return id;
      }
    return undefined;
  }

  /** False for one that does not wait. */
  remove(id: number): boolean {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return false;
    const { previous, next } = waiting;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    this.#waiting.delete(id);
    return true;
  }

  /** Takes out all whose deadline is reached, in the order in which they came. */
  expired(nowMs: number): readonly number[] {
    const ids: number[] = [];
    for (const { id, deadlineMs } of this.#inTurn()) {
      if (deadlineMs <= nowMs) ids.push(id);
      else if (this.#inOrder) break;
    }
    for (const id of ids) this.remove(id);
    return ids;
  }

  /** The earliest deadline; infinite where nobody waits. */
  get nextDeadlineMs(): number {
    if (this.#inOrder) return this.#first?.deadlineMs ?? Number.POSITIVE_INFINITY;
    let earliest = Number.POSITIVE_INFINITY;
    let latest = Number.NEGATIVE_INFINITY;
    let inOrder = true;
    for (const { deadlineMs } of this.#inTurn()) {
      inOrder &&= latest <= deadlineMs;
      latest = deadlineMs;
      earliest = Math.min(earliest, deadlineMs);
    }
    this.#inOrder = inOrder;
    return earliest;
  }

  *#inTurn(): Iterable<Waiting> {
    for (let each = this.#first; each !== undefined; each = each.next) yield each;
  }
}
