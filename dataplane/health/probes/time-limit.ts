/** A limit is waited for in so many parts. */
const parts = 8;

/** What a timer may be late by without anybody's fault: Node counts in whole milliseconds. */
const timerGrainMs = 2;

/**
 * A server's time, measured by a thread that may itself be late. Each part of it begins when the thread comes round, so a
 * thread that stood still charges the server for one part at most; and when all are over it is told how much later than
 * they should have been they ended, together.
 */
export class TimeLimit {
  readonly #limitMs: number;
  readonly #onOver: (wasStalled: boolean) => void;
  #partsLeft = parts;
  #lateMs = 0;
  #timer: NodeJS.Timeout | undefined;

  /**
   * `wasStalled`: this thread was late by more than half of the limit, in all. It has not listened well enough to say
   * anything of the server.
   */
  constructor(limitMs: number, onOver: (wasStalled: boolean) => void) {
    this.#limitMs = limitMs;
    this.#onOver = onOver;
    this.#wait();
  }

  clear(): void {
    clearTimeout(this.#timer);
  }

  #wait(): void {
    const partMs = Math.max(1, this.#limitMs / parts);
    const dueMs = performance.now() + partMs + timerGrainMs;
    this.#timer = setTimeout(() => {
      this.#lateMs += Math.max(0, performance.now() - dueMs);
      this.#partsLeft -= 1;
      if (this.#partsLeft > 0) this.#wait();
      else this.#onOver(this.#lateMs > this.#limitMs / 2);
    }, partMs);
  }
}
