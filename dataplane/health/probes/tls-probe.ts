import { checkServerIdentity, connect, type SecureContext, type TLSSocket } from "node:tls";
import type { TlsProbe } from "../../../model/farm-policy.ts";
import { seeCertificate } from "./certificate-check.ts";
import type { ProbeEvents, ProbeRequest, RunningProbe } from "./probe.ts";
import { ProbeConnection } from "./probe-connection.ts";
import { ticketHead } from "./session-ticket.ts";

const anyIdentity = (): undefined => undefined;

/** Tickets that one handshake may bring; more are not looked at. */
const ticketsMax = 8;

/** The handshake of a check, which was begun with `begin`. */
export interface Handshake {
  readonly tls: TlsProbe;
  readonly context: SecureContext;
  /** The handshake is done on this side, and the certificate holds where it is verified. */
  readonly finished: (socket: TLSSocket, certificateExpiryMs: number | null) => void;
  /** A session came, with a ticket in it or without. */
  readonly session: () => void;
}

/** Begins a full handshake on a connection that was just made; none is ever resumed. What fails is told. */
export function shakeHands(
  connection: ProbeConnection,
  { tls, context, finished, session: onSession }: Handshake,
): void {
  const socket = connect({
    socket: connection.raw,
    secureContext: context,
    // The result of verification is read and told in the words of the closed set, not thrown.
    rejectUnauthorized: false,
    checkServerIdentity: tls.verify && tls.serverName !== "" ? checkServerIdentity : anyIdentity,
    ...(tls.serverName === "" ? {} : { servername: tls.serverName }),
    ...(tls.alpnProtocols.length === 0 ? {} : { ALPNProtocols: [...tls.alpnProtocols] }),
  });
  connection.secure(socket);
  socket.on("session", (session) => {
    const head = ticketHead(session);
    if (head !== null && connection.ticketHeads.length < ticketsMax) connection.ticketHeads.push(head);
    onSession();
  });
  socket.once("secureConnect", () => {
    if (connection.isTold) return;
    const { expiryMs, fault } = seeCertificate(socket, tls);
    if (fault === null) finished(socket, expiryMs);
    else connection.tell(fault);
  });
}

/**
 * A whole TLS handshake, as far as this side sees: with TLS 1.3 a server that wants a certificate of its clients says so in an
 * alert after that, and is up. Its tickets are waited for after the result was told.
 */
export function startTlsProbe(
  request: ProbeRequest,
  handshake: Pick<Handshake, "tls" | "context">,
  events: ProbeEvents,
): RunningProbe {
  const end = (): void => connection.end();
  const connection = new ProbeConnection(request, events, () => {
    let ending: NodeJS.Immediate | undefined;
    shakeHands(connection, {
      ...handshake,
      finished: (socket, certificateExpiryMs) => {
        connection.tell({ passed: true, certificateExpiryMs });
        socket.resume();
        if (request.wantsTickets && connection.ticketHeads.length === 0) connection.awaitTickets();
        else end();
      },
      // With TLS 1.2 this is all that comes. With TLS 1.3 servers send their tickets in one flight: those that came together
      // with the first are read in this turn.
      session: () => {
        if (connection.isTold) ending ??= setImmediate(end);
      },
    });
  });
  return connection;
}
