import type { HelloRejection } from "../../model/reason.ts";
import { readableRecordVersion } from "./alert-record.ts";

/** Longest plaintext fragment of one record (RFC 8446 section 5.1). */
const fragmentBytesMax = 2 ** 14;

const handshakeContentType = 22;
/** change_cipher_spec to heartbeat: the content types that there are (RFC 5246 section 6.2.1, RFC 6520). */
const contentTypeMin = 20;
const contentTypeMax = 24;

/** msg_type, version and three lengths (RFC 5246 appendix E.2). */
const sslv2HelloBytesMin = 9;
const sslv2ClientHelloType = 1;

/**
 * Reads TLS record headers (RFC 8446 section 5.1) byte by byte. Every fault is told at a fixed byte, the first that leaves
 * no doubt, so that the answer does not depend on how the bytes were cut.
 *
 * On the first header it also tells what is not TLS. An SSLv2-format ClientHello begins with a 2-byte header whose high
 * bit is set, where TLS has a content type; its third byte is 1, for CLIENT-HELLO, and its version follows.
 */
export class RecordHeader {
  /** Of the first record, as the client wrote it; 0 before it is known. */
  firstVersion = 0;
  /** For a rejection: what this client will read, 0 where it does not speak TLS, or not for sure. */
  alertVersion = 0;
  /** Of the record whose header was read last. */
  fragmentLength = 0;

  #position = 0;
  #first = true;
  #byte0 = 0;
  #byte3 = 0;

  /** True between records, and never inside a header. */
  get complete(): boolean {
    return this.#position === 0;
  }

  /** Takes the next byte of a header; the reason of the fault that it shows, or null. */
  read(byte: number): HelloRejection | null {
    if (!this.#first) return this.#readTls(byte, "hello_record", "hello_record");
    if (this.#position === 0 ? byte >= 0x80 : this.#byte0 >= 0x80) return this.#readSslv2(byte);
    return this.#readTls(byte, "not_tls", "hello_not_first");
  }

  /** @param alien is the reason for what is no record, `misplaced` for a record of another content type */
  #readTls(byte: number, alien: HelloRejection, misplaced: HelloRejection): HelloRejection | null {
    switch (this.#position) {
      case 0:
        if (byte < contentTypeMin || byte > contentTypeMax) return alien;
        this.#byte0 = byte;
        break;
      case 1:
        if (byte !== 3) return alien;
        break;
      case 2:
        if (this.#first) {
          this.firstVersion = 0x0300 | byte;
          this.alertVersion = readableRecordVersion(this.firstVersion);
        }
        if (this.#byte0 !== handshakeContentType) return misplaced;
        break;
      case 3:
        this.#byte3 = byte;
        break;
      default:
        this.fragmentLength = (this.#byte3 << 8) | byte;
        this.#position = 0;
        this.#first = false;
        return this.fragmentLength === 0 || this.fragmentLength > fragmentBytesMax ? "hello_record" : null;
    }
    this.#position += 1;
    return null;
  }

  #readSslv2(byte: number): HelloRejection | null {
    switch (this.#position) {
      case 0:
        this.#byte0 = byte;
        break;
      case 1:
        if ((((this.#byte0 & 0x7f) << 8) | byte) < sslv2HelloBytesMin) return "not_tls";
        break;
      case 2:
        if (byte !== sslv2ClientHelloType) return "not_tls";
        break;
      case 3:
        if (byte !== 0 && byte !== 3) return "not_tls";
        this.#byte3 = byte;
        break;
      default:
        if (this.#byte3 === 0) return byte === 2 ? "sslv2_hello" : "not_tls";
        this.alertVersion = readableRecordVersion(0x0300 | byte);
        return "sslv2_hello";
    }
    this.#position += 1;
    return null;
  }
}
