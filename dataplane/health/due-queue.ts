/** An entry of a queue; the queue alone writes `position`. */
export interface Due {
  /** When it is due. Changed only by {@link DueQueue.put}. */
  dueMs: number;
  /** Its place in the heap; -1 for one that is not in it. */
  position: number;
}

/** What is due first, of many: a binary heap whose entries know their place, so that any of them can be moved or taken out. */
export class DueQueue<Entry extends Due> {
  readonly #heap: Entry[] = [];

  get first(): Entry | undefined {
    return this.#heap[0];
  }

  get size(): number {
    return this.#heap.length;
  }

  /** Adds the entry, or moves it to another time. */
  put(entry: Entry, dueMs: number): void {
    entry.dueMs = dueMs;
    if (entry.position < 0) {
      entry.position = this.#heap.length;
      this.#heap.push(entry);
    }
    this.#rise(entry);
    this.#sink(entry);
  }

  /** Takes the entry out, wherever it stands; one that is not in the queue is ignored. */
  remove(entry: Entry): void {
    const { position } = entry;
    if (position < 0) return;
    entry.position = -1;
    const last = this.#heap.pop() as Entry;
    if (last === entry) return;
    this.#place(last, position);
    this.#rise(last);
    this.#sink(last);
  }

  #rise(entry: Entry): void {
    while (entry.position > 0) {
      const parentAt = (entry.position - 1) >> 1;
      const parent = this.#heap[parentAt] as Entry;
      if (parent.dueMs <= entry.dueMs) return;
      this.#place(parent, entry.position);
      this.#place(entry, parentAt);
    }
  }

  #sink(entry: Entry): void {
    for (;;) {
      const left = entry.position * 2 + 1;
      const child = this.#earlier(left, left + 1);
      if (child === undefined || child.dueMs >= entry.dueMs) return;
      const childAt = child.position;
      this.#place(child, entry.position);
      this.#place(entry, childAt);
    }
  }

  #earlier(leftAt: number, rightAt: number): Entry | undefined {
    const left = this.#heap[leftAt];
    const right = this.#heap[rightAt];
    return left !== undefined && right !== undefined && right.dueMs < left.dueMs ? right : left;
  }

  #place(entry: Entry, position: number): void {
    this.#heap[position] = entry;
    entry.position = position;
  }
}
