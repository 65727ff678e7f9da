import { joinedBytes } from "../../model/joined-bytes.ts";
import type { ServerAnswer } from "../hello/flight-facts.ts";

/** A record's head (5), a handshake message's (4), the version (2) and the random (32): RFC 8446 sections 4, 4.1.3 and 5.1. */
const randomAt = 11;
export const firstFlightBytes = randomAt + 32;

const alertRecord = 21;
const handshakeRecord = 22;
const serverHello = 2;

/** A HelloRetryRequest is a ServerHello with this random: the SHA-256 of its own name (RFC 8446 section 4.1.3). */
const retryRandom = Uint8Array.from([
  0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11,
  0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
]);

/** Tells what a server answers from its first bytes, however they are cut. They nearly always come in one piece. */
export class FirstFlight {
  #answer: ServerAnswer = "nothing";
  #settled = false;
  /** The bytes so far, where they were too few. */
  #held: Uint8Array | undefined;

  get answer(): ServerAnswer {
    return this.#answer;
  }

  /** `bytes` are valid during the call only. */
  add(bytes: Uint8Array): void {
    if (this.#settled || bytes.length === 0) return;
    const all = this.#held === undefined ? bytes : joinedBytes([this.#held, bytes]);
    this.#settled = all[0] !== handshakeRecord || all.length >= firstFlightBytes;
    this.#answer = answerOf(all);
    this.#held = this.#settled ? undefined : new Uint8Array(all);
  }
}

function answerOf(bytes: Uint8Array): ServerAnswer {
  if (bytes[0] === alertRecord) return "alert";
  if (bytes[0] !== handshakeRecord || bytes[5] !== serverHello || bytes.length < firstFlightBytes) return "other";
  for (let at = 0; at < retryRandom.length; at += 1)
    if (bytes[randomAt + at] !== retryRandom[at]) return "server_hello";
  return "hello_retry";
}
