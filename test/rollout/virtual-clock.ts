/** The time of a simulation: it moves when it is told to, and only then. */
export class VirtualClock {
  #nowMs = 0;

  /** Milliseconds by a clock that never goes back. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Milliseconds since 1970. */
  get wallMs(): number {
    return Date.parse("2026-11-22T12:00:00Z") + this.#nowMs;
  }

  advance(ms: number): void {
    this.#nowMs += ms;
  }
}
