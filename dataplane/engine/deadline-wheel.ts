/** Something that ends by itself at a moment that may move. */
export interface Timed {
  /** When it is due, in milliseconds of the monotonic clock; Infinity for never. Asked again when the wheel gets there. */
  deadlineMs(): number;
  /** It was due. The wheel has let go of it. */
  expire(): void;
}

/** How late a deadline may be seen. It is never seen early. */
const tickMs = 25;

/** What lies further ahead than the wheel goes round (12.8 s) waits in the last slot, and is looked at from there. */
const slotCount = 512;

/**
 * The deadlines of all connections under one timer, which runs only while there are any. A deadline that moves away
 * costs nothing: the entry stays where it is, and is asked again when its slot comes. So bytes that flow touch no timer.
 */
export class DeadlineWheel {
  readonly #slots = Array.from({ length: slotCount }, () => new Set<Timed>());
  /** The tick that each entry waits for. */
  readonly #ticks = new Map<Timed, number>();
  #lastTick = 0;
  #interval: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;

  /** Takes an entry in, or tells that the deadline of one may have come nearer. */
  watch(entry: Timed): void {
    this.#start();
    const nowTick = Math.floor(performance.now() / tickMs);
    const dueTick = Math.ceil(entry.deadlineMs() / tickMs);
    const tick = Math.min(Math.max(dueTick, nowTick + 1), this.#lastTick + slotCount);
    const waitsFor = this.#ticks.get(entry);
    if (waitsFor !== undefined) {
      if (waitsFor <= tick) return;
      this.#slot(waitsFor).delete(entry);
    }
    this.#ticks.set(entry, tick);
    this.#slot(tick).add(entry);
  }

  /** Lets go of an entry; one that is not here is ignored. */
  forget(entry: Timed): void {
    const waitsFor = this.#ticks.get(entry);
    if (waitsFor === undefined) return;
    this.#slot(waitsFor).delete(entry);
    this.#ticks.delete(entry);
    if (this.#ticks.size === 0) this.#stop();
  }

  #slot(tick: number): Set<Timed> {
    return this.#slots[tick % slotCount] as Set<Timed>;
  }

  #start(): void {
    if (this.#interval !== undefined) return;
    this.#lastTick = Math.floor(performance.now() / tickMs);
    // The turn is taken after the loop has polled: where the thread was held up for longer than a timeout, the bytes
    // that came meanwhile are read first, and count.
    this.#interval = setInterval(() => {
      this.#immediate ??= setImmediate(() => this.#turn());
    }, tickMs);
  }

  #stop(): void {
    clearInterval(this.#interval);
    clearImmediate(this.#immediate);
    this.#interval = undefined;
    this.#immediate = undefined;
  }

  #turn(): void {
    this.#immediate = undefined;
    const nowTick = Math.floor(performance.now() / tickMs);
    const firstTick = Math.max(this.#lastTick + 1, nowTick - slotCount + 1);
    this.#lastTick = nowTick;
    for (let tick = firstTick; tick <= nowTick; tick += 1) {
      const slot = this.#slot(tick);
      if (slot.size > 0) this.#visit([...slot]);
    }
  }

  #visit(entries: readonly Timed[]): void {
    for (const entry of entries) {
      const tick = this.#ticks.get(entry);
      // An entry before this one may have had it let go, or moved.
      if (tick === undefined || tick > this.#lastTick) continue;
      if (entry.deadlineMs() <= performance.now()) {
        this.forget(entry);
        entry.expire();
      } else {
        this.#slot(tick).delete(entry);
        this.#ticks.delete(entry);
        this.watch(entry);
      }
    }
  }
}
