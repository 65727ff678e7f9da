/** The least that is allocated once bytes come in a second piece; from there it doubles. */
const heldBytesMin = 256;

/**
 * What a client has sent and no server has taken yet. One chunk is kept as it is; more are copied to one buffer, so
 * that a client that sends byte by byte costs no more than twice what it sent, instead of an object for each byte.
 */
export class HeldBytes {
  #buffer: Uint8Array = new Uint8Array(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** All that is held; valid until the next call. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  /** The chunk is the holder's from now on. */
  append(chunk: Uint8Array): void {
    if (this.#length === 0) {
      this.#buffer = chunk;
      this.#length = chunk.length;
      return;
    }
    const needed = this.#length + chunk.length;
    if (needed > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(needed, 2 * this.#length, heldBytesMin));
      grown.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = grown;
    }
    this.#buffer.set(chunk, this.#length);
    this.#length = needed;
  }

  /** Forgets the first bytes. */
  drop(count: number): void {
    if (count === 0) return;
    this.#buffer = this.#buffer.subarray(count);
    this.#length -= count;
  }

  /** Hands the bytes over, and holds none any more. */
  take(): Uint8Array {
    const { bytes } = this;
    this.#buffer = new Uint8Array(0);
    this.#length = 0;
    return bytes;
  }
}
