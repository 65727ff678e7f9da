import type { HelloRejection } from "../../model/reason.ts";
import type { HelloOutcome } from "./hello-outcome.ts";
import { parseClientHello } from "./parse-client-hello.ts";
import { RecordHeader } from "./record-header.ts";

const messageHeaderBytes = 4;
const clientHelloType = 1;

/** The least that is allocated for a hello that comes in pieces; from there the buffer doubles. */
const heldBytesMin = 64;
/** Up to here a loop copies faster than `set`. */
const crumbBytesMax = 16;
const noBytes = new Uint8Array(0);
const incomplete: HelloOutcome = { outcome: "incomplete" };

/**
 * Reads the ClientHello at the head of a client's stream, in chunks that may end anywhere: inside a record header, inside
 * a length, inside the name. The message may lie in many records (RFC 8446 section 5.1); empty ones are refused, so that a
 * hello takes at most 6 bytes on the wire for each of its own.
 *
 * The outcome depends on the bytes only, never on the cuts between them: every fault of the framing is told at a fixed
 * byte, and the body is parsed once, when its last byte is there. Bytes behind the hello's records (early data, mostly)
 * are not looked at. Inside its last record there may be none: RFC 8446 section 5.1 has a ClientHello end with its record,
 * TLS 1.2 clients have nothing to send there, and a second message in the same record is how hellos are smuggled past
 * readers, so that is a `hello_record`.
 */
export class HelloReader {
  readonly #helloBytesMax: number;
  readonly #header = new RecordHeader();
  #outcome: HelloOutcome = incomplete;
  /** Bytes that the current record still has. */
  #fragmentLeft = 0;
  #messageHeaderRead = 0;
  #bodyLength = 0;
  /** The body's bytes so far, where they did not come in one piece. */
  #held = noBytes;
  #bodyRead = 0;

  /** @param helloBytesMax the longest handshake message that is read, in bytes, its 4-byte header included */
  constructor(helloBytesMax: number) {
    this.#helloBytesMax = helloBytesMax;
  }

  /** Memory that is held for the hello's bytes, less than twice what came (and at least 64 once some are held). */
  get bytesHeld(): number {
    return this.#held.length;
  }

  /**
   * Takes the next bytes of the stream. The chunk stays the caller's: bytes that are needed later are copied, save for a
   * body that lies whole in one record in one chunk, which is parsed in place; then the hello's views are views of it.
   */
  push(chunk: Uint8Array): HelloOutcome {
    // The short way of a body that comes byte by byte: there is room for the chunk, and its record goes on behind it, so
    // nothing can be decided. A hello that was refused holds nothing, and does not come here.
    const end = this.#bodyRead + chunk.length;
    const crumb = chunk.length <= crumbBytesMax && chunk.length < this.#fragmentLeft;
    if (!crumb || this.#bodyRead === 0 || end > this.#held.length) return this.#read(chunk);
    const held = this.#held;
    const start = this.#bodyRead;
    for (let at = 0; at < chunk.length; at += 1) held[start + at] = chunk[at] as number;
    this.#bodyRead = end;
    this.#fragmentLeft -= chunk.length;
    return incomplete;
  }

  #read(chunk: Uint8Array): HelloOutcome {
    let at = 0;
    while (at < chunk.length && this.#outcome === incomplete) {
      if (this.#fragmentLeft === 0) {
        this.#readRecordHeader(chunk[at] as number);
        at += 1;
      } else if (this.#messageHeaderRead < messageHeaderBytes) {
        this.#readMessageHeader(chunk[at] as number);
        at += 1;
      } else {
        const length = Math.min(this.#fragmentLeft, chunk.length - at);
        this.#readBody(chunk, at, length);
        at += length;
      }
    }
    return this.#outcome;
  }

  #readRecordHeader(byte: number): void {
    const fault = this.#header.read(byte);
    if (fault !== null) {
      this.#reject(fault);
    } else if (this.#header.complete) {
      this.#fragmentLeft = this.#header.fragmentLength;
      this.#checkAlignment();
    }
  }

  #readMessageHeader(byte: number): void {
    this.#fragmentLeft -= 1;
    this.#messageHeaderRead += 1;
    if (this.#messageHeaderRead === 1) {
      if (byte !== clientHelloType) this.#reject("hello_not_first");
      return;
    }
    this.#bodyLength = (this.#bodyLength << 8) | byte;
    if (this.#messageHeaderRead < messageHeaderBytes) return;
    if (messageHeaderBytes + this.#bodyLength > this.#helloBytesMax) {
      this.#reject("hello_too_big");
      return;
    }
    this.#checkAlignment();
    if (this.#bodyLength === 0 && this.#outcome === incomplete) this.#parse(noBytes, 0, 0);
  }

  /** Refuses a record that goes on behind the hello, as soon as both lengths are known. */
  #checkAlignment(): void {
    if (this.#messageHeaderRead < messageHeaderBytes) return;
    if (this.#fragmentLeft > this.#bodyLength - this.#bodyRead) this.#reject("hello_record");
  }

  #readBody(chunk: Uint8Array, at: number, length: number): void {
    if (length === this.#bodyLength) {
      this.#fragmentLeft -= length;
      this.#parse(chunk, at, at + length);
      return;
    }
    this.#makeRoom(this.#bodyRead + length);
    this.#append(chunk.subarray(at, at + length));
    if (this.#bodyRead === this.#bodyLength) this.#parse(this.#held, 0, this.#bodyLength);
  }

  /** What is allocated follows what came, not what was announced. */
  #makeRoom(needed: number): void {
    if (needed <= this.#held.length) return;
    const grown = new Uint8Array(Math.min(this.#bodyLength, Math.max(needed, 2 * this.#held.length, heldBytesMin)));
    grown.set(this.#held.subarray(0, this.#bodyRead));
    this.#held = grown;
  }

  /** Copies bytes of the current record's body to the held ones, which have room for them. */
  #append(bytes: Uint8Array): void {
    this.#held.set(bytes, this.#bodyRead);
    this.#bodyRead += bytes.length;
    this.#fragmentLeft -= bytes.length;
  }

  #parse(bytes: Uint8Array, start: number, end: number): void {
    this.#outcome = parseClientHello(bytes, start, end, this.#header.firstVersion);
    if (this.#outcome.outcome === "rejected") this.#held = noBytes;
  }

  #reject(reason: HelloRejection): void {
    this.#outcome = { outcome: "rejected", reason, recordVersion: this.#header.alertVersion };
    this.#held = noBytes;
  }
}

/** Reads bytes from the head of a stream in one go; `incomplete` where the hello goes on behind them. */
export function readHello(recordBytes: Uint8Array, helloBytesMax: number): HelloOutcome {
  return new HelloReader(helloBytesMax).push(recordBytes);
}
