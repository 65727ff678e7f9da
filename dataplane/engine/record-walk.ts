/** Content types (RFC 8446 section 5.1, RFC 6520), and the first byte of every record's version. */
const contentTypeMin = 20;
const applicationData = 23;
const contentTypeMax = 24;
const versionMajor = 3;

const over = 5;

/**
 * How far a server's stream is in clear: follows the headers of its TLS records (RFC 8446 section 5.1) up to the first of
 * application data, or to a byte that can't begin a record. `record_walk.h` is its twin.
 */
export class RecordWalk {
  #fragmentLeft = 0;
  /** Bytes of the current header; 0 while a fragment is passed over, 5 once nothing further is in clear. */
  #headerRead = 0;

  get over(): boolean {
    return this.#headerRead === over;
  }

  /** Takes the next bytes. How many of them are to be shown: all, or up to the byte that ended the walk, which is shown. */
  inClear(bytes: Uint8Array): number {
    let at = 0;
    while (at < bytes.length && this.#headerRead !== over) {
      if (this.#headerRead === 0 && this.#fragmentLeft > 0) {
        const passed = Math.min(this.#fragmentLeft, bytes.length - at);
        this.#fragmentLeft -= passed;
        at += passed;
      } else {
        this.#readHeader(bytes[at] as number);
        at += 1;
      }
    }
    return at;
  }

  #readHeader(byte: number): void {
    const alien = byte < contentTypeMin || byte > contentTypeMax || byte === applicationData;
    if ((this.#headerRead === 0 && alien) || (this.#headerRead === 1 && byte !== versionMajor)) {
      this.#headerRead = over;
    } else if (this.#headerRead < 3) {
      this.#headerRead += 1;
    } else {
      this.#fragmentLeft = (this.#fragmentLeft << 8) | byte;
      this.#headerRead = this.#headerRead === 3 ? 4 : 0;
    }
  }
}
