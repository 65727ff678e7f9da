/** A loop waits here for its time, or for whoever has something for it. What is said before it waits is not lost. */
export class Wake {
  #woken = false;
  #end: (() => void) | undefined;

  now(): void {
    this.#woken = true;
    this.#end?.();
  }

  /** Resolves after `ms`, or at once when woken, also where that was before. */
  async wait(ms: number): Promise<void> {
    if (!this.#woken) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.#end = (): void => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#end = undefined;
    this.#woken = false;
  }
}
