const firstMs = 500;
const mostMs = 30_000;

/** How long to leave alone a step that could not be taken: twice as long each time, until another step is wanted. */
export class BackOff {
  #requestId = "";
  #waitMs = firstMs;
  #untilMs = 0;

  mayTry(requestId: string, nowMs: number): boolean {
    return requestId !== this.#requestId || nowMs >= this.#untilMs;
  }

  failed(requestId: string, nowMs: number): void {
    this.#waitMs = requestId === this.#requestId ? Math.min(this.#waitMs * 2, mostMs) : firstMs;
    this.#requestId = requestId;
    this.#untilMs = nowMs + this.#waitMs;
  }

  done(): void {
    this.#requestId = "";
  }
}
