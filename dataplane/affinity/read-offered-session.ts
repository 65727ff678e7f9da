import { ticketNameBytesMax, ticketNameBytesMin } from "../../model/learnt.ts";
import type { ClientHello } from "../hello/client-hello.ts";
import type { OfferedSession } from "./offered-session.ts";

/** Clients offer one or two; more of them cost time at every connection, and a server looks at few itself. */
const pskIdentitiesMax = 4;

const tls13 = 0x0304;
const noBytes = new Uint8Array(0);

/**
 * The session that a client offers to resume; null where it offers none that could be followed.
 *
 * Some clients send several kinds at once: a PSK for TLS 1.3, a ticket for TLS 1.2, and a session id, which beside the
 * others is made up (RFC 8446 appendix D.4, RFC 5077 section 3.4). The newest kind counts: a client offers a PSK only after
 * a server gave it one in TLS 1.3.
 */
export function offeredSession(hello: ClientHello): OfferedSession | null {
  const heads = hello.pskIdentities().slice(0, pskIdentitiesMax).map(headOf);
  if (heads.some((head) => head.length > 0)) return { kind: "psk", heads };
  const ticket = hello.sessionTicket;
  if (ticket !== null && ticket.length >= ticketNameBytesMin) return { kind: "ticket", head: headOf(ticket) };
  const id = hello.sessionId;
  // Beside any ticket or PSK, also one too short to be looked at, the id is the client's own.
  if (id.length === 0 || heads.length > 0 || (ticket !== null && ticket.length > 0)) return null;
  return { kind: "session_id", id: id.slice(), certain: !hello.supportedVersions().includes(tls13) };
}

function headOf(ticket: Uint8Array): Uint8Array {
  return ticket.length < ticketNameBytesMin ? noBytes : ticket.slice(0, ticketNameBytesMax);
}
