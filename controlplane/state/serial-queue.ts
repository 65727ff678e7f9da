/** Runs tasks one after another, in order, with a limit on how many may wait. */
export class SerialQueue {
  readonly #waitingMax: number;
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(waitingMax: number) {
    this.#waitingMax = waitingMax;
  }

  /** Resolves, or rejects, as the task does. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#waiting >= this.#waitingMax) throw new QueueFull(`${this.#waiting} commands are waiting already`);
    this.#waiting += 1;
    const before = this.#last;
    const mine = (async () => {
      // How the task before ended is its own caller's business.
      await before.catch(() => undefined);
      try {
        return await task();
      } finally {
        this.#waiting -= 1;
      }
    })();
    this.#last = mine;
    return mine;
  }
}

/** The queue's limit is reached: try again later. */
export class QueueFull extends Error {
  override readonly name = "QueueFull";
}
