import type { FlightFacts } from "../hello/flight-facts.ts";
import { commonPrefixBytes } from "./common-prefix.ts";
import type { OfferedSession } from "./offered-session.ts";

const tls12 = 0x0303;

export type Resumption = "accepted" | "refused" | null;

/**
 * What a server made of the session that a client offered; null where that can't be seen, or where nothing real was offered.
 *
 * @param isKnown whether a session id is one that some server gave: without that an id from a client that also speaks TLS
 *   1.3 may be made up, and is no offer
 */
export function resumptionOf(
  offered: OfferedSession,
  facts: FlightFacts,
  isKnown: (id: Uint8Array) => boolean,
): Resumption {
  if (facts.answer !== "server_hello") return null;
  const newest = facts.version > tls12;
  if (facts.pskSelected >= 0 && newest) return offered.kind === "psk" ? "accepted" : null;
  if (facts.abbreviated && !newest) return "accepted";
  // In TLS 1.3 the ServerHello says it; before, a full handshake is known by its end.
  if (!newest && !facts.settled) return null;
  if (offered.kind !== "session_id" || offered.certain || isKnown(offered.id)) return "refused";
  return null;
}

/**
 * A session id that the server gave, and that resumes at this server what was begun here; null for none.
 *
 * An id that equals the client's is an echo: the server resumed (RFC 5246 section 7.4.1.3), or the client had made it up
 * beside a ticket, to see it come back (RFC 5077 section 3.4). With a new ticket the client will offer that, and no id.
 * And of a handshake that did not reach its end nobody can resume anything.
 */
export function givenSessionId(offered: OfferedSession | null, facts: FlightFacts): Uint8Array | null {
  const { sessionId, settled, abbreviated, ticketHead } = facts;
  const full = facts.answer === "server_hello" && facts.version <= tls12 && settled && !abbreviated;
  if (!full || sessionId.length === 0 || ticketHead !== null) return null;
  if (offered?.kind === "session_id" && isSame(offered.id, sessionId)) return null;
  return sessionId;
}

/**
 * The ticket that a server took, where it says which: in TLS 1.3. After a HelloRetryRequest it says that of the client's
 * second hello, from which some of several PSKs may be missing (RFC 8446 section 4.1.2); an only one is the same in both,
 * if the client is honest.
 */
export function acceptedPsk(offered: OfferedSession | null, facts: FlightFacts): Uint8Array | null {
  if (offered?.kind !== "psk" || facts.answer !== "server_hello" || facts.version <= tls12) return null;
  if (facts.retried && offered.heads.length > 1) return null;
  return offered.heads[facts.pskSelected] ?? null;
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && commonPrefixBytes(one, other) === one.length;
}
