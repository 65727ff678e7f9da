import type { FlightFacts } from "./flight-facts.ts";
import { FlightWalk } from "./flight-walk.ts";

/**
 * Reads what a server sends first, in chunks that may end anywhere, as far as it is in clear and says something of the
 * session: whether it was resumed, and by what the client will offer it again.
 *
 *     TLS 1.3:  (HelloRetryRequest) -> ServerHello -> settled
 *     TLS 1.2:  ServerHello -> (Certificate ... ServerHelloDone) -> (NewSessionTicket) -> ChangeCipherSpec -> settled
 *
 * Certificates are passed over. What is no flight of a server settles it at the byte that shows it, and nothing throws.
 * The facts depend on the bytes alone, never on the cuts between them. One is kept for each live connection: once settled
 * it holds the facts and nothing else.
 */
export class ServerFlightReader {
  /** As far as they were read. The object stays the same, and changes until it is settled. */
  readonly facts: FlightFacts;
  #walk: FlightWalk | null;

  constructor() {
    this.#walk = new FlightWalk();
    this.facts = this.#walk.facts;
  }

  /** Bytes of the flight that are held for what is to come; 0 once settled. */
  get bytesHeld(): number {
    return this.#walk?.bytesHeld ?? 0;
  }

  /**
   * Takes the next bytes of the server's stream, which are valid during the call only.
   * @returns true once: when these bytes settled the facts
   */
  add(bytes: Uint8Array): boolean {
    if (this.#walk === null) return false;
    this.#walk.read(bytes);
    if (!this.facts.settled) return false;
    this.#walk = null;
    return true;
  }
}
