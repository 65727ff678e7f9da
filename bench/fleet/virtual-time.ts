/** What is done at a point of virtual time; the clock stands still until its promise settles. */
export type Happening = () => Promise<void> | void;

interface Due {
  readonly atMs: number;
  /** Tells apart what is due at the same time: first planned, first done. */
  readonly order: number;
  readonly happening: Happening;
}

/**
 * A clock that goes from one happening to the next. Only one thing happens at a time, and to its end, so that a run is
 * the same each time, however long the machine took over each step.
 */
export class VirtualTime {
  #nowMs = 0;
  #planned = 0;
  /** A binary heap, the next one first. */
  readonly #due: Due[] = [];

  get nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, happening: Happening): void {
    this.#push({ atMs: this.#nowMs + delayMs, order: this.#planned, happening });
    this.#planned += 1;
  }

  /** Lets time pass until `over` holds, asked after each happening, or until `endMs`. */
  async run(endMs: number, over: () => boolean): Promise<void> {
    while (!over()) {
      const next = this.#due[0];
      if (next === undefined || next.atMs > endMs) return;
      this.#dropFirst();
      this.#nowMs = next.atMs;
      const done = next.happening();
      if (done !== undefined) await done;
    }
  }

  #push(due: Due): void {
    const heap = this.#due;
    let place = heap.length;
    heap.push(due);
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!isBefore(due, heap[parent] as Due)) break;
      heap[place] = heap[parent] as Due;
      place = parent;
    }
    heap[place] = due;
  }

  #dropFirst(): void {
    const heap = this.#due;
    const last = heap.pop() as Due;
    if (heap.length === 0) return;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Due, heap[child] as Due)) child += 1;
      if (!isBefore(heap[child] as Due, last)) break;
      heap[place] = heap[child] as Due;
      place = child;
    }
    heap[place] = last;
  }
}

function isBefore(one: Due, other: Due): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
}
