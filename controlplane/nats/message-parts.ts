import { joinedBytes } from "../../model/joined-bytes.ts";

/** One part of a message, well below the 1 MiB that servers take by default. */
export const partBytesMax = 448 * 1024;

/** A message in all its parts; what would be larger is not collected. */
const messageBytesMax = 64 * 1024 * 1024;

/** Where a part belongs. */
export interface PartLabel {
  /** Who sends; a word without blanks. */
  readonly sender: string;
  /** Counted by the sender. */
  readonly message: number;
  readonly index: number;
  readonly count: number;
}

export function labelText({ sender, message, index, count }: PartLabel): string {
  return `${sender} ${message} ${index} ${count}`;
}

export function parseLabel(text: string): PartLabel | undefined {
  const match = /^(\S{1,128}) (\d{1,15}) (\d{1,6}) (\d{1,6})$/.exec(text);
  if (match === null) return undefined;
  const [message, index, count] = [Number(match[2]), Number(match[3]), Number(match[4])];
  return index < count ? { sender: match[1] ?? "", message, index, count } : undefined;
}

/** The parts of a message, as windows on its bytes; an empty message is one empty part. */
export function partsOf(bytes: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let start = 0; start === 0 || start < bytes.length; start += partBytesMax)
    parts.push(bytes.subarray(start, start + partBytesMax));
  return parts;
}

/**
 * Puts the parts of one sender's messages together. They come in order, or some are lost: then the whole message is,
 * and with it what was collected.
 */
export class PartCollector {
  #label: PartLabel | undefined;
  #parts: Uint8Array[] = [];
  #bytes = 0;

  /** The whole message with its last part; undefined until then. */
  take(label: PartLabel, bytes: Uint8Array): Uint8Array | undefined {
    const follows = label.index > 0 && label.message === this.#label?.message && label.index === this.#label.index + 1;
    if (!follows) this.#forget();
    if (label.index > 0 && !follows) return undefined;
    if (this.#bytes + bytes.length > messageBytesMax) {
      this.#forget();
      return undefined;
    }
    this.#label = label;
    this.#parts.push(bytes);
    this.#bytes += bytes.length;
    if (label.index < label.count - 1) return undefined;
    const whole = label.count === 1 ? bytes : joinedBytes(this.#parts);
    this.#forget();
    return whole;
  }

  #forget(): void {
    this.#label = undefined;
    this.#parts = [];
    this.#bytes = 0;
  }
}
