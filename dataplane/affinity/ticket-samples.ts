import { commonPrefixBytes } from "./common-prefix.ts";

/** More than the workers of most servers, each of which may have a key of its own. */
const samplesMax = 16;

/** The last different tickets of a server: what its names are read from. */
export class TicketSamples {
  readonly #heads: Uint8Array[] = [];
  #oldest = 0;

  /** Keeps a ticket. @returns false for one that is there already: a client may bring the same ticket again and again */
  add(head: Uint8Array): boolean {
    if (this.#heads.some((each) => each.length === head.length && commonPrefixBytes(each, head) === head.length)) {
      return false;
    }
    if (this.#heads.length < samplesMax) this.#heads.push(head.slice());
    else this.#heads[this.#oldest] = head.slice();
    this.#oldest = (this.#oldest + 1) % samplesMax;
    return true;
  }

  /** With how many bytes a ticket begins as one of the others does that count, and how many of those do. */
  alike(
    head: Uint8Array,
    counts: (sample: Uint8Array) => boolean,
  ): { readonly bytes: number; readonly samples: number } {
    let bytes = 0;
    let samples = 0;
    for (const each of this.#heads) {
      const common = commonPrefixBytes(each, head);
      if (common < bytes || (common === head.length && each.length === head.length) || !counts(each)) continue;
      samples = common === bytes ? samples + 1 : 1;
      bytes = common;
    }
    return { bytes, samples };
  }
}
