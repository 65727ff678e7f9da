import { noBytes } from "./span.ts";

/** A HelloRetryRequest is a ServerHello with this random: the SHA-256 of its own name (RFC 8446 section 4.1.3). */
const retryRandom = Uint8Array.from([
  0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11,
  0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
]);

const sessionIdBytesMax = 32;
const extensionType = { pre_shared_key: 41, supported_versions: 43 } as const;

/** The fields of a ServerHello in their order; `extension_data` leads back to `extension_type`. */
type Field =
  | "version"
  | "random"
  | "session_id_length"
  | "session_id"
  | "suite_and_compression"
  | "extensions_length"
  | "extension_type"
  | "extension_length"
  | "extension_data"
  | "end";

/**
 * Reads the body of a ServerHello (RFC 8446 section 4.1.3, RFC 5246 section 7.4.1.3), which may come in any pieces, field
 * by field. It keeps numbers and the session id, whatever the length of the key share.
 */
export class ServerHelloWalk {
  /** The body's own version; the session's, unless {@link selectedVersion} is there. */
  legacyVersion = 0;
  /** Of supported_versions; 0 without it. */
  selectedVersion = 0;
  /** Of pre_shared_key; -1 without it. */
  pskSelected = -1;
  /** A copy. */
  sessionId: Uint8Array = noBytes;
  /** It is a HelloRetryRequest. */
  isRetry = true;

  #field: Field = "version";
  /** Bytes that the field has. */
  #length = 2;
  #read = 0;
  /** The field's last bytes as a number. */
  #value = 0;
  /** Bytes of the body behind the field. */
  #behind: number;
  #extension = 0;

  /** @param bodyBytes of the message, without its header of 4 bytes; at least 2 */
  constructor(bodyBytes: number) {
    this.#behind = bodyBytes - 2;
  }

  /**
   * Takes the body's bytes in `bytes[start, end)`, which are not more than it has left.
   * @returns false where they are no ServerHello; then it is not asked again
   */
  read(bytes: Uint8Array, start: number, end: number): boolean {
    let at = start;
    while (at < end) {
      const taken = Math.min(end - at, this.#length - this.#read);
      this.#take(bytes, at, at + taken);
      this.#read += taken;
      at += taken;
      while (this.#read === this.#length && this.#field !== "end") if (!this.#next()) return false;
    }
    return true;
  }

  #take(bytes: Uint8Array, start: number, end: number): void {
    switch (this.#field) {
      case "random":
        for (let at = start; at < end; at += 1)
          if (bytes[at] !== retryRandom[this.#read + at - start]) this.isRetry = false;
        break;
      case "session_id":
        this.sessionId.set(bytes.subarray(start, end), this.#read);
        break;
      case "suite_and_compression":
        break;
      default:
        // Key shares are long, and what is read of an extension has two bytes.
        for (let at = Math.max(start, end - 2); at < end; at += 1)
          this.#value = ((this.#value << 8) | (bytes[at] as number)) & 0xffff;
    }
  }

  /** The field is whole: on to the next. False where a length does not agree. */
  #next(): boolean {
    switch (this.#field) {
      case "version":
        this.legacyVersion = this.#value;
        return this.#value >> 8 === 3 && this.#begin("random", retryRandom.length);
      case "random":
        return this.#begin("session_id_length", 1);
      case "session_id_length":
        if (this.#value > sessionIdBytesMax) return false;
        if (this.#value > 0) this.sessionId = new Uint8Array(this.#value);
        return this.#begin("session_id", this.#value);
      case "session_id":
        return this.#begin("suite_and_compression", 3);
      case "suite_and_compression":
        return this.#behind === 0 ? this.#begin("end", 0) : this.#begin("extensions_length", 2);
      case "extensions_length":
        return this.#value === this.#behind && this.#beginExtension();
      case "extension_type":
        this.#extension = this.#value;
        return this.#begin("extension_length", 2);
      case "extension_length":
        return this.#begin("extension_data", this.#value);
      default:
        return this.#noteExtension() && this.#beginExtension();
    }
  }

  #beginExtension(): boolean {
    return this.#behind === 0 ? this.#begin("end", 0) : this.#begin("extension_type", 2);
  }

  /** Both extensions hold one number of 16 bits in a ServerHello (RFC 8446 sections 4.2.1 and 4.2.11). */
  #noteExtension(): boolean {
    switch (this.#extension) {
      case extensionType.pre_shared_key:
        this.pskSelected = this.#value;
        return this.#length === 2;
      case extensionType.supported_versions:
        this.selectedVersion = this.#value;
        return this.#length === 2;
      default:
        return true;
    }
  }

  #begin(field: Field, length: number): boolean {
    if (length > this.#behind) return false;
    this.#behind -= length;
    this.#field = field;
    this.#length = length;
    this.#read = 0;
    this.#value = 0;
    return true;
  }
}
