/**
 * Several control planes, any of which will do. A node begins with any of them, and goes on to the next when one is lost,
 * so that a fleet spreads over them and none is needed.
 */
export class ControlPlanes {
  readonly #addresses: readonly string[];
  #at: number;
  #failures = 0;

  /** `random` from 0 to 1: which one is the first. */
  constructor(addresses: readonly string[], random: number) {
    if (addresses.length === 0) throw new RangeError("a node that talks to control planes has one at least");
    this.#addresses = addresses;
    this.#at = Math.min(addresses.length - 1, Math.floor(random * addresses.length));
  }

  get current(): string {
    return this.#addresses[this.#at] as string;
  }

  /** The current one was of use. */
  answered(): void {
    this.#failures = 0;
  }

  /** The current one is lost. Answers how many times in a row all of them were, for the back-off. */
  next(): number {
    const rounds = Math.floor(this.#failures / this.#addresses.length);
    this.#failures += 1;
    this.#at = (this.#at + 1) % this.#addresses.length;
    return rounds;
  }
}
